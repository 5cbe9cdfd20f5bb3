#include "kernels/pack.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kernels/team.hpp"
#include "tests/kernels/forced_team.hpp"
#include "tests/kernels/view_data.hpp"
#include "tests/support/random_data.hpp"

// A host takes one element at a time; here it takes the packs of a device, so that their
// indexing and their barriers are tested where teams of several threads are to be had.

namespace vlmark::test {
namespace {

using kernels::Packing;

template <class T>
void check_pack() {
  constexpr int width = 16 / sizeof(T);
  alignas(16) T from[3 * width], to[3 * width] = {};
  const auto values = gaussian(3 * width, 5);
  for (int i = 0; i < 3 * width; ++i) from[i] = narrow<T>(values[i]);
  const kernels::Pack<width> pack{width};  // the second of three
  const auto loaded = pack.load(from);
  for (int j = 0; j < width; ++j) EXPECT_EQ(loaded[j], widen(from[width + j]));
  pack.assign(to, pack.copy(from));
  for (int i = 0; i < 3 * width; ++i)
    EXPECT_EQ(widen(to[i]), i / width == 1 ? widen(from[i]) : 0.0f) << i;
  pack.store(to, [&](int j) { return 3 * loaded[j]; });
  for (int i = 0; i < 3 * width; ++i)
    EXPECT_EQ(widen(to[i]), i / width == 1 ? widen(narrow<T>(3 * widen(from[i]))) : 0.0f) << i;
}

TEST(Pack, MovesFloats) { check_pack<float>(); }
TEST(Pack, MovesBf16) { check_pack<bf16>(); }

TEST(Packing, NeedsEveryRowOfEveryViewAligned) {
  const Mat<float> m("m", 5, 12), odd("odd", 5, 13);
  const Vec<bf16> v("v", 40);
  EXPECT_TRUE(kernels::packing(m, v).aligned);
  EXPECT_FALSE(kernels::packing(m, odd).aligned);
  EXPECT_TRUE(kernels::packing(kernels::columns(m, 4, 9)).aligned);
  EXPECT_FALSE(kernels::packing(kernels::columns(m, 1, 9)).aligned);
  const Vec<bf16> shifted(v.data() + 1, 39);
  EXPECT_FALSE(kernels::packing(shifted).aligned);
  EXPECT_FALSE(kernels::packing(m).only_if(false).aligned);
}

/// What a launch with one way of taking the elements finds.
struct Found {
  std::vector<double> visits, sum, largest;
  bool operator==(const Found&) const = default;
};

template <int width>
Found run(int team_size, Packing<width> packing, const std::vector<int>& lengths,
          const Vec<float>& x) {
  const int rows = static_cast<int>(lengths.size()), longest = x.extent_int(0);
  const auto length = to_view(lengths);
  const Mat<float> visits("visits", rows, longest);
  const Vec<float> sum("sum", rows), largest("largest", rows);
  const ForcedTeam forced(team_size);
  auto policy = kernels::team_policy(Exec{}, rows, 0);
  policy.set_scratch_size(0, Kokkos::PerTeam(kernels::kPackedSumScratch));
  Kokkos::parallel_for(
      "vlmark::pack_test", policy, KOKKOS_LAMBDA(const kernels::Team& team) {
        const int row = team.league_rank(), n = length(row);
        float* seen = kernels::row_of(visits, row);
        kernels::for_each(team, n, packing, [=](auto at) {
          const auto before = at.load(seen);
          at.store(seen, [&](int j) { return before[j] + 1; });
        });
        const auto load = [=](auto at) { return at.load(x.data()); };
        // Twice: the second sum takes the same scratch.
        float s = kernels::packed_sum<float>(team, n, packing, load);
        s += kernels::packed_sum<float>(team, n, packing, load) - s;
        const float m = kernels::packed_max(team, n, packing, load);
        if (team.team_rank() == team.team_size() - 1) {
          sum(row) = s;
          largest(row) = m;
        }
      });
  return {to_host(visits), to_host(sum), to_host(largest)};
}

/// The same order in plain loops: 1,024 lanes, joined neighbours first.
float serial_sum(const std::vector<float>& x, int n) {
  std::vector<float> lane(kernels::kPackedLanes, 0.0f);
  for (int i = 0; i < n; ++i) lane[i % kernels::kPackedLanes] += x[i];
  for (std::size_t stride = 1; stride < lane.size(); stride *= 2)
    for (std::size_t i = 0; i < lane.size(); i += 2 * stride) lane[i] += lane[i + stride];
  return lane[0];
}

class PackedTeam : public testing::TestWithParam<int> {};

TEST_P(PackedTeam, AllWaysFindTheSameBits) {
  const int team = GetParam();
  if (team > Exec{}.concurrency()) GTEST_SKIP() << "needs " << team << " threads";
  const std::vector<int> lengths{0, 7, 100, 1025, 8960};
  const auto values = gaussian(9000, 3);
  const auto x = to_view<float>(values);
  const Found one = run(team, Packing<1>{true}, lengths, x);
  EXPECT_EQ(run(team, Packing<4>{true}, lengths, x), one);
  EXPECT_EQ(run(team, Packing<8>{true}, lengths, x), one);
  EXPECT_EQ(run(team, Packing<8>{false}, lengths, x), one);
  for (std::size_t row = 0; row < lengths.size(); ++row) {
    EXPECT_EQ(one.sum[row], serial_sum(values, lengths[row]));
    float largest = -std::numeric_limits<float>::infinity();
    for (int i = 0; i < 9000; ++i) {
      if (i < lengths[row]) largest = std::max(largest, values[i]);
      EXPECT_EQ(one.visits[row * 9000 + i], i < lengths[row] ? 1.0 : 0.0);
    }
    EXPECT_EQ(one.largest[row], largest);
  }
}

TEST_P(PackedTeam, MaximumOfInfinitiesIsNotAFiniteNumber) {
  const int team = GetParam();
  if (team > Exec{}.concurrency()) GTEST_SKIP() << "needs " << team << " threads";
  std::vector<float> values(40, -std::numeric_limits<float>::infinity());
  const auto all = run(team, Packing<4>{true}, {33, 40}, to_view<float>(values));
  EXPECT_EQ(all.largest, std::vector<double>(2, -std::numeric_limits<double>::infinity()));
  values[7] = std::nanf("");  // passed over
  values[9] = -5;
  const auto some = run(team, Packing<4>{true}, {33, 40}, to_view<float>(values));
  EXPECT_EQ(some.largest, std::vector<double>(2, -5.0));
}

INSTANTIATE_TEST_SUITE_P(Sizes, PackedTeam, testing::Values(1, 2, 4));

}  // namespace
}  // namespace vlmark::test
