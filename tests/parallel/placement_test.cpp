// The order of ranks on made-up machines.

#include "parallel/placement.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "src/base/philox.hpp"

namespace vlmark::parallel {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

/// A rank bound to one NUMA domain; two domains make a package.
RankPlace at(int host, int domain) {
  return {"n" + std::to_string(host), {domain / 2}, {domain}, std::to_string(8 * domain)};
}

std::vector<int> given_order(std::size_t ranks) {
  std::vector<int> order(ranks);
  std::iota(order.begin(), order.end(), 0);
  return order;
}

TEST(Placement, BlocksAreKept) {
  std::vector<RankPlace> places;
  for (int rank = 0; rank < 16; ++rank) places.push_back(at(rank / 8, rank % 8 / 4));
  for (const auto& [pipeline, tensor] : {std::pair(1, 1), {1, 4}, {2, 4}, {2, 2}, {16, 1}})
    EXPECT_EQ(order_of(places, pipeline, tensor), given_order(16));
  const Placement placement = place_ranks(places, 2, 4);
  EXPECT_EQ(placement.note, "");
  EXPECT_EQ(placement.warning, "");
  EXPECT_EQ(placement.places, places);
}

TEST(Placement, RoundRobinOverHostsIsUndone) {
  const std::vector<RankPlace> places{at(0, 0), at(1, 0), at(0, 0), at(1, 0)};
  EXPECT_THAT(order_of(places, 1, 2), ElementsAre(0, 2, 1, 3));
  EXPECT_THAT(order_of(places, 2, 1), ElementsAre(0, 2, 1, 3));
  EXPECT_THAT(order_of(places, 2, 2), ElementsAre(0, 2, 1, 3));
  EXPECT_THAT(order_of(places, 1, 1), ElementsAre(0, 1, 2, 3)) << "replicas stand where they are";
  EXPECT_THAT(place_ranks(places, 2, 2).note, HasSubstr("ranks are renumbered"));
}

TEST(Placement, RoundRobinOverDomainsIsUndone) {
  std::vector<RankPlace> places;
  for (int rank = 0; rank < 8; ++rank) places.push_back(at(0, rank % 4));
  EXPECT_THAT(order_of(places, 1, 2), ElementsAre(0, 4, 1, 5, 2, 6, 3, 7));
}

TEST(Placement, TheFirstDomainIsThatOfRankZeroWhateverItsNumber) {
  const std::vector<RankPlace> places{at(3, 3), at(1, 0), at(3, 2), at(1, 0), at(3, 3), at(3, 2)};
  EXPECT_THAT(order_of(places, 1, 2), ElementsAre(0, 4, 2, 5, 1, 3));
}

TEST(Placement, WhatIsLeftOverInDomainsMeetsInsideTheHost) {
  // Domains of 3, 2 and 1 ranks: sorting alone would spread two groups, one must be.
  const std::vector<RankPlace> places{at(0, 0), at(0, 1), at(0, 2), at(0, 0), at(0, 1), at(0, 0)};
  const Placement placement = place_ranks(places, 1, 2);
  EXPECT_THAT(placement.order, ElementsAre(0, 3, 5, 2, 1, 4));
  EXPECT_EQ(spread_of(places, placement.order, 1, 2), (Spread{0, 1, 0}));
  EXPECT_THAT(placement.warning,
              AllOf(HasSubstr("1 of 3 tensor groups lie on several NUMA domains"),
                    HasSubstr("ranks 2 to 3 on n0, domains 0,2"), HasSubstr("--bind-to numa")));
}

TEST(Placement, AGroupOverHostsIsSaid) {
  const std::vector<RankPlace> places{at(0, 0), at(1, 0)};
  const Placement placement = place_ranks(places, 1, 2);
  EXPECT_THAT(placement.warning, AllOf(HasSubstr("1 of 1 tensor groups lie on several hosts"),
                                       HasSubstr("ranks 0 to 1 on n0, n1")));
  EXPECT_EQ(placement.warning.find('\n'), std::string::npos);
  EXPECT_EQ(place_ranks(places, 2, 1).warning, "") << "stages may lie on several hosts";
}

TEST(Placement, RanksThatAreNotBoundAreSaidAndKept) {
  const RankPlace free{"n0", {0, 1}, {0, 1}, "0-63"};
  EXPECT_EQ(order_of({free, free}, 1, 2), given_order(2));
  EXPECT_THAT(place_ranks({free, free}, 1, 2).warning, HasSubstr("n0, domains 0,1"));
  EXPECT_EQ(place_ranks({free, free}, 1, 1).warning, "");
}

TEST(Placement, OfADeviceItsOwnDomainCounts) {
  RankPlace a = at(0, 0), b = at(0, 0), c = at(0, 0), d = at(0, 0);
  a.gpu = b.gpu = c.gpu = d.gpu = "0000:3b:00.0";
  a.gpu_numa = c.gpu_numa = {0};
  b.gpu_numa = d.gpu_numa = {1};
  EXPECT_THAT(order_of({a, b, c, d}, 1, 2), ElementsAre(0, 2, 1, 3));
}

TEST(Placement, WhatIsNotKnownIsNotGuessed) {
  RankPlace bare{"n0", {}, {}, ""};
  bare.missing = "no topology";
  RankPlace other = bare;
  other.host = "n1";
  EXPECT_EQ(place_ranks({bare, bare}, 1, 2).warning, "");
  EXPECT_THAT(order_of({bare, other, bare, other}, 1, 2), ElementsAre(0, 2, 1, 3));
  EXPECT_EQ(to_text(place_ranks({bare}, 1, 1)),
            "rank 0 launched 0 host n0 package unknown numa unknown cpus unknown topology partial "
            "(no topology)\n");
  EXPECT_EQ(to_text(place_ranks({at(0, 1)}, 1, 1)),
            "rank 0 launched 0 host n0 package 0 numa 1 cpus 8 topology complete\n");
}

/// Groups of `size` that fit whole into places of equal key.
template <class Key>
int whole_groups(const std::vector<RankPlace>& places, int size, Key key) {
  std::map<std::string, int> ranks;
  for (const RankPlace& place : places) ++ranks[key(place)];
  int groups = 0;
  for (const auto& [name, count] : ranks) groups += count / size;
  return groups;
}

/// The same places in turn: the first rank of every domain, then the second ...
std::vector<RankPlace> dealt_out(const std::vector<RankPlace>& places) {
  std::map<long, std::vector<RankPlace>> turns;
  for (std::size_t i = 0; i < places.size(); ++i)
    turns[std::count(places.begin(), places.begin() + static_cast<long>(i), places[i])].push_back(
        places[i]);
  std::vector<RankPlace> dealt;
  for (const auto& [turn, found] : turns) dealt.insert(dealt.end(), found.begin(), found.end());
  return dealt;
}

/// Machines of 1 to 6 hosts with 1 to 8 domains each, launched in blocks, round robin or shuffled,
/// as many ranks on each host or not.
TEST(PlacementProperty, NoOrderKeepsMoreGroupsTogether) {
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    const Philox random(seed, "placement");
    std::uint64_t draws = 0;
    const auto below = [&](int bound) {
      return static_cast<int>(random.below(draws++, static_cast<std::uint64_t>(bound)));
    };
    const int hosts = 1 + below(6), domains = 1 + below(8), tensor = 1 + below(4),
              pipeline = 1 + below(3), replica = tensor * pipeline;
    const bool even = below(2) == 0, known = below(5) > 0;
    std::vector<RankPlace> places;
    const int each = even ? replica * (1 + below(3)) : 0;
    for (int host = 0; host < hosts; ++host)
      for (int i = 0, n = even ? each : 1 + below(12); i < n; ++i)
        places.push_back(known ? at(host, even ? i * domains / n : below(domains))
                               : RankPlace{"n" + std::to_string(host), {}, {}, ""});
    places.resize(places.size() / static_cast<std::size_t>(replica) *
                  static_cast<std::size_t>(replica));
    if (places.empty()) continue;
    const int launch = below(3);
    if (launch == 1)
      places = dealt_out(places);
    else if (launch == 2)
      for (std::size_t i = places.size(); i > 1; --i)
        std::swap(places[i - 1], places[static_cast<std::size_t>(below(static_cast<int>(i)))]);
    SCOPED_TRACE("seed " + std::to_string(seed));

    const std::vector<int> order = order_of(places, pipeline, tensor);
    std::vector<int> sorted = order;
    std::sort(sorted.begin(), sorted.end());
    ASSERT_EQ(sorted, given_order(places.size()));
    EXPECT_EQ(order[0], 0);
    EXPECT_EQ(order_of(places, pipeline, tensor), order);
    const Spread spread = spread_of(places, order, pipeline, tensor),
                 given = spread_of(places, given_order(places.size()), pipeline, tensor);
    EXPECT_TRUE(spread < given || order == given_order(places.size()));

    const int groups = static_cast<int>(places.size()) / tensor;
    const int in_hosts = whole_groups(places, tensor, [](const RankPlace& p) { return p.host; });
    EXPECT_EQ(groups - spread.tensor_over_hosts, in_hosts);
    if (known && tensor > 1) {
      EXPECT_EQ(in_hosts - spread.tensor_over_domains,
                whole_groups(places, tensor, [](const RankPlace& p) {
                  return p.host + "/" + std::to_string(p.numa[0]);
                }));
    }
    if (even) {
      EXPECT_EQ(spread.tensor_over_hosts, 0);
      EXPECT_EQ(spread.stages_over_hosts, 0);
    }
    // Placed once, the ranks stay.
    std::vector<RankPlace> placed;
    for (const int rank : order) placed.push_back(places[static_cast<std::size_t>(rank)]);
    EXPECT_EQ(order_of(placed, pipeline, tensor), given_order(places.size()));
  }
}

/// A host that does not know what it is must still say that, and every rank must see it alike.
TEST(RankPlaceOfThisMachine, IsReadAndTravelsWhole) {
  const RankPlace here = read_place("");
  EXPECT_FALSE(here.host.empty());
  if (here.missing.empty()) {
    EXPECT_FALSE(here.cpus.empty());
    EXPECT_FALSE(here.numa.empty());
    EXPECT_FALSE(here.packages.empty());
  }
  const RankPlace gpu = read_place("ffff:ff:1f.0");
  EXPECT_THAT(gpu.missing, HasSubstr("no PCI devices"));
  EXPECT_TRUE(gpu.gpu_numa.empty());
}

}  // namespace
}  // namespace vlmark::parallel
