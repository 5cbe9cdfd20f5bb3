// Ranks that a launcher dealt out over two hosts train in the order of their grid.

#include <gmock/gmock.h>

#include "parallel/gather.hpp"
#include "parallel/placement.hpp"
#include "tests/engine/small_model.hpp"
#include "tests/engine/training_run.hpp"
#include "tests/support/mpi_world.hpp"

namespace vlmark::test {
namespace {

using testing::ElementsAre;

/// Ranks 0 and 3 share a host, and 1 and 2.
parallel::RankPlace made_up_place(int rank) {
  return {.host = rank % 3 == 0 ? "n0" : "n1",
          .packages = {0},
          .numa = {0, rank},
          .cpus = std::to_string(rank) + "-7,9",
          .missing = rank == 3 ? "no moon" : ""};
}

/// What a rank holds after training.
std::string bytes_of(const Trained& run) {
  std::string bytes;
  for (const auto& [name, values] : run.parameters) {
    const auto* data = reinterpret_cast<const char*>(values.data());
    bytes.append(name).append(data, values.size() * sizeof(float));
  }
  return bytes;
}

TEST(PlacedTraining, EveryRankHearsOfEveryPlace) {
  const auto places = parallel::gather_places(world(), made_up_place(world().rank()));
  ASSERT_EQ(places.size(), 4u);
  for (int rank = 0; rank < 4; ++rank)
    EXPECT_EQ(places[static_cast<std::size_t>(rank)], made_up_place(rank));
}

TEST(PlacedTraining, NeighboursInTheGridShareAHost) {
  const auto places = parallel::gather_places(world(), made_up_place(world().rank()));
  const parallel::Placement placement = parallel::place_ranks(places, 1, 2);
  EXPECT_THAT(placement.order, ElementsAre(0, 3, 1, 2));
  const auto grid = parallel::in_order(world(), placement.order);
  EXPECT_EQ(placement.order[static_cast<std::size_t>(grid->rank())], world().rank());
  const auto tensor = grid->split(grid->rank() / 2, grid->rank());
  const std::string host = made_up_place(world().rank()).host;
  for (const auto& neighbour : parallel::gather_places(*tensor, made_up_place(world().rank())))
    EXPECT_EQ(neighbour.host, host);
}

TEST(PlacedTraining, HasTheBitsOfTheGivenOrder) {
  const plan::ModelConfig config = small_model();
  const auto steps = three_steps(config);
  for (const char* layout : {"dp2.tp2", "tp2.pp2", "dp2.pp2"}) {
    SCOPED_TRACE(layout);
    model::TrainingSettings settings;
    settings.type = DType::f32;
    settings.bucket_elements = 20'000;
    settings.layout = plan::parse_layout(layout);
    const auto run = [&](parallel::Communicator& comm) {
      const plan::Place place = plan::place_of(settings.layout, comm.rank());
      const model::Qwen2VL shard(config,
                                 model::shard_of(config, settings, shapes_of(steps), place));
      return train(shard, settings, steps, comm);
    };
    const auto places = parallel::gather_places(world(), made_up_place(world().rank()));
    const auto order = parallel::order_of(places, settings.layout.pipeline, settings.layout.tensor);
    ASSERT_THAT(order, ElementsAre(0, 3, 1, 2));
    const auto grid = parallel::in_order(world(), order);
    const Trained given = run(world()), placed = run(*grid);
    EXPECT_NE(given.losses[0], given.losses[1]);
    EXPECT_EQ(placed.losses, given.losses);
    EXPECT_EQ(placed.grad_norms, given.grad_norms);
    EXPECT_EQ(placed.state, given.state);
    EXPECT_NE(grid->rank() == world().rank(), world().rank() > 0);
    EXPECT_EQ(parallel::all_gather_strings(*grid, bytes_of(placed)),
              parallel::all_gather_strings(world(), bytes_of(given)));
  }
}

}  // namespace
}  // namespace vlmark::test
