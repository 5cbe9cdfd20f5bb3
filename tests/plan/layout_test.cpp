#include "src/plan/layout.hpp"

#include <gmock/gmock.h>

#include <set>
#include <tuple>

#include "src/base/error.hpp"

namespace vlmark::plan {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::ThrowsMessage;

TEST(Layout, IsReadInAnyOrder) {
  EXPECT_EQ(parse_layout("dp2.tp4.pp8"), (Layout{2, 4, 8, 1, 0}));
  EXPECT_EQ(parse_layout("pp8.dp2.tp4"), (Layout{2, 4, 8, 1, 0}));
  EXPECT_EQ(parse_layout("v2.n8.pp4"), (Layout{1, 1, 4, 2, 8}));
  EXPECT_EQ(parse_layout("dp1"), Layout{});
}

TEST(Layout, IsWrittenAsItIsRead) {
  for (const char* text : {"dp1", "dp2", "tp2.pp2", "dp2.tp4.pp8.v2.n16", "pp4.v2"})
    EXPECT_EQ(to_string(parse_layout(text)), text);
}

TEST(Layout, NamesWhatItCannotRead) {
  const auto refused = [](const char* text, const char* problem) {
    EXPECT_THAT([&] { parse_layout(text); },
                ThrowsMessage<ConfigError>(AllOf(HasSubstr(std::string("layout '") + text + "'"),
                                                 HasSubstr(problem), HasSubstr("pp4.v2.n8"))));
  };
  refused("", "'' is no part");
  refused("dp2.", "'' is no part");
  refused("dp", "'dp' is no part");
  refused("2dp", "'2dp' is no part");
  refused("cp2", "'cp2' is no part");
  refused("dp0", "'dp0' has no number from 1");
  refused("dp-1", "'dp-1' is no part");
  refused("dp2x", "'dp2x' has no number");
  refused("dp99999999999999999999", "has no number from 1 to 1000000");
  refused("dp2.dp2", "dp stands twice");
  refused("DP2", "'DP2' is no part");
}

TEST(Place, PutsTensorRanksSideBySideAndReplicasFurthestApart) {
  const Layout layout = parse_layout("dp2.pp3.tp4");
  EXPECT_EQ(place_of(layout, 0), (Place{0, 0, 0}));
  EXPECT_EQ(place_of(layout, 3), (Place{0, 0, 3}));
  EXPECT_EQ(place_of(layout, 4), (Place{0, 1, 0}));
  EXPECT_EQ(place_of(layout, 12), (Place{1, 0, 0}));
  std::set<std::tuple<int, int, int>> seen;
  for (int rank = 0; rank < layout.ranks(); ++rank) {
    const Place place = place_of(layout, rank);
    EXPECT_EQ(rank_of(layout, place), rank);
    seen.emplace(place.data, place.pipeline, place.tensor);
  }
  EXPECT_EQ(seen.size(), 24u);
}

std::vector<std::string> of(const char* layout, const char* model, int ranks, int micro_batches) {
  return problems(parse_layout(layout), model_preset(model), ranks, micro_batches);
}

TEST(LayoutProblems, AreNoneForLayoutsThatRun) {
  EXPECT_THAT(of("dp1", "nano", 1, 1), IsEmpty());
  EXPECT_THAT(of("dp2.tp2.pp2", "nano", 8, 3), IsEmpty());
  EXPECT_THAT(of("tp8.pp8.v2.dp4", "72B", 256, 64), IsEmpty());
  EXPECT_THAT(of("pp4.v2.n8", "7B", 4, 12), IsEmpty());  // 8 and 4
  EXPECT_THAT(of("pp4", "7B", 4, 1), IsEmpty());         // fewer micro-batches than stages
  EXPECT_THAT(of("dp4", "2B", 4, 1), IsEmpty());         // replicas without any
}

TEST(LayoutProblems, NameTheNumberOfRanks) {
  EXPECT_THAT(of("dp2.tp2", "2B", 8, 4),
              ElementsAre("layout dp2.tp2: needs 4 ranks, but the job has 8. Start 4 ranks, or use "
                          "dp4"));
  EXPECT_THAT(of("tp2.pp2", "2B", 6, 4),
              ElementsAre(AllOf(HasSubstr("needs 4 ranks, but the job has 6"),
                                HasSubstr("whose product divides 6"))));
}

TEST(LayoutProblems, NameHeadsThatDoNotDivideAndTheSizesThatWork) {
  // 2B: 12 query heads, 2 key/value heads, 16 in the ViT.
  EXPECT_THAT(
      of("tp3", "2B", 3, 1),
      ElementsAre("layout tp3: tp3 does not divide 16 heads of the ViT, 2 key/value heads of "
                  "model 2B. Tensor sizes that work: 1, 2, 4"));
  EXPECT_THAT(of("tp8", "2B", 8, 1), ElementsAre(HasSubstr("12 query heads")));
  // 7B: 28 query heads, 4 key/value heads; 72B: 64 and 8.
  EXPECT_THAT(of("tp8", "7B", 8, 1), ElementsAre(HasSubstr("Tensor sizes that work: 1, 2, 4")));
  EXPECT_THAT(of("tp16", "72B", 16, 1), IsEmpty());
  EXPECT_THAT(of("tp32", "72B", 32, 1), ElementsAre(HasSubstr("work: 1, 2, 4, 8, 16")));
}

TEST(LayoutProblems, NameMoreChunksThanLayers) {
  EXPECT_THAT(of("pp32", "2B", 32, 32),
              ElementsAre(AllOf(HasSubstr("has 32 chunks, but model 2B has 28 decoder layers"),
                                HasSubstr("Use a pipeline of at most 28"))));
  EXPECT_THAT(of("pp8.v4", "2B", 8, 32),
              ElementsAre(AllOf(HasSubstr("has 32 chunks"),
                                HasSubstr("a pipeline of at most 7 with v4, or v3 or less with "
                                          "pp8"))));
  EXPECT_THAT(of("pp28", "2B", 28, 32), IsEmpty());
}

TEST(LayoutProblems, NameChunksAndGroupsThatMeanNothing) {
  EXPECT_THAT(of("v2", "2B", 1, 2), ElementsAre(HasSubstr("v2 with pp1")));
  EXPECT_THAT(of("pp2.n4", "2B", 2, 4), ElementsAre(HasSubstr("n4 with v1")));
}

TEST(LayoutProblems, NameGroupsThatDoNotFitAndThoseThatDo) {
  EXPECT_THAT(of("pp4.v2", "7B", 4, 6),
              ElementsAre(AllOf(HasSubstr("groups of 4 micro-batches on 4 pipeline ranks, but a "
                                          "replica has 6"),
                                HasSubstr("Group sizes that work: 6"))));
  EXPECT_THAT(of("pp4.v2.n2", "7B", 4, 8), ElementsAre(HasSubstr("work: 4, 8")));
  EXPECT_THAT(of("pp4.v2", "7B", 4, 3), ElementsAre(HasSubstr("Use at least 4 micro-batches")));
  EXPECT_THAT(of("dp2.pp4.v2", "7B", 8, 11),
              ElementsAre(AllOf(HasSubstr("a replica has 5 or 6"),
                                HasSubstr("Use a multiple of 2 micro-batches"))));
}

TEST(LayoutProblems, AreAllNamed) { EXPECT_EQ(of("tp3.pp40.v2", "2B", 7, 8).size(), 4u); }

TEST(LayoutProblems, NameSizesThatAreNone) {
  EXPECT_THAT(problems({0, 1, -2, 1, 0}, model_preset("2B"), 1, 1),
              ElementsAre(HasSubstr("dp is 0"), HasSubstr("pp is -2")));
}

}  // namespace
}  // namespace vlmark::plan
