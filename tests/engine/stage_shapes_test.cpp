#include "src/engine/stage_shapes.hpp"

#include <gmock/gmock.h>

#include "src/base/error.hpp"
#include "tests/support/local_world.hpp"

namespace vlmark::engine {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;
using namespace std::chrono_literals;

const std::vector<plan::MicroBatchShape> index{
    {{17}, {}, 11}, {{9, 20}, {{1, 4, 6}}, 12}, {{30}, {{3, 2, 2}}, 0}};

TEST(StageShapes, ArriveInOrderOnEveryStage) {
  test::LocalWorld world(3, 1, 100us);
  test::run_threads(3, [&](int rank) {
    const auto comm = world.communicator(rank);
    // The first micro-batch is another replica's.
    StageShapes shapes(index, 30, 1, rank > 0, 1, 3);
    for (const int m : {1, 2}) {
      EXPECT_EQ(shapes[m] == index[static_cast<std::size_t>(m)], rank == 0);
      shapes.broadcast(*comm, m);
    }
    for (int m = 0; m < 3; ++m) EXPECT_EQ(shapes[m], index[static_cast<std::size_t>(m)]);
  });
}

/// The first stage plays one index, the later stage loads data of another.
TEST(StageShapes, OfAnotherLengthThanTheStagesDataAreNamedWithBoth) {
  test::LocalWorld world(2, 1, 100us);
  test::run_threads(2, [&](int rank) {
    const auto comm = world.communicator(rank);
    auto mine = index;
    if (rank == 0) mine[1].sequences[0] = 8;
    StageShapes shapes(mine, 30, 1, rank > 0, 0, 3);
    shapes.broadcast(*comm, 1);
    model::MicroBatch batch;
    batch.shape = index[1];
    if (rank == 0) return;
    EXPECT_THAT([&] { shapes.require_same(1, batch); },
                ThrowsMessage<ShapeError>(
                    AllOf(HasSubstr("micro-batch 1"),
                          HasSubstr("data has 'sequences 9 20, media 1x4x6, 12 supervised'"),
                          HasSubstr("first stage announces 'sequences 8 20, media 1x4x6"))));
  });
}

TEST(StageShapes, ThatDoNotFitThePlannedMemoryAreNamedWithBoth) {
  EXPECT_THAT([] { StageShapes(index, 14, 2, false, 0, 2); },
              ThrowsMessage<ShapeError>(
                  AllOf(HasSubstr("micro-batch 1 has 29 tokens"), HasSubstr("planned for 28"))));
  EXPECT_NO_THROW(StageShapes(index, 15, 2, false, 0, 2));
  for (const int most : {29, 0}) {  // too many tokens; more numbers than that many could have
    test::LocalWorld world(2, 1, 100us);
    test::run_threads(2, [&](int rank) {
      const auto comm = world.communicator(rank);
      StageShapes shapes(index, rank == 0 ? 100 : most, 1, rank > 0, 2, 3);
      if (rank == 0) {
        try {
          shapes.broadcast(*comm, 2);
        } catch (const CommError&) {  // the other has gone
        }
        return;
      }
      const std::string text = most == 0 ? "is announced with 7 lengths"
                                         : "micro-batch 2 has 30 "
                                           "tokens";
      EXPECT_THAT([&] { shapes.broadcast(*comm, 2); }, ThrowsMessage<ShapeError>(HasSubstr(text)));
      world.end();
    });
  }
}

}  // namespace
}  // namespace vlmark::engine
