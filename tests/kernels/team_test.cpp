#include "kernels/team.hpp"

#include <cmath>
#include <limits>

#include "tests/kernels/forced_team.hpp"
#include "tests/kernels/view_data.hpp"
#include "tests/support/expect_close.hpp"
#include "tests/support/random_data.hpp"

namespace vlmark::test {
namespace {

struct Results {
  std::vector<double> sum, largest, visits;
};

// Rows of different length in one launch, so that team members must agree on each of them.
Results run(int team_size, const std::vector<int>& lengths, const Vec<float>& x) {
  const ForcedTeam forced(team_size);
  const auto packs = kernels::packing(x);
  const int rows = static_cast<int>(lengths.size());
  const auto length = to_view(lengths);
  const Vec<float> sum("sum", rows), largest("largest", rows), visits("visits", x.extent(0));
  Kokkos::parallel_for(
      "vlmark::team_test", kernels::row_policy(Exec{}, rows),
      KOKKOS_LAMBDA(const kernels::Team& team) {
        const int row = team.league_rank(), n = length(row);
        const float s = kernels::row_sum(team, n, packs, [=](auto at) {
          if (row == rows - 1) at.map([&](int j) { return visits(at.first + j) += 1; });
          return at.load(x.data());
        });
        const float m =
            kernels::row_max(team, n, packs, [=](auto at) { return at.load(x.data()); });
        // The last member writes: every member must know the result.
        if (team.team_rank() == team.team_size() - 1) {
          sum(row) = s;
          largest(row) = m;
        }
      });
  return {to_host(sum), to_host(largest), to_host(visits)};
}

class Team : public testing::TestWithParam<int> {};

TEST_P(Team, SumsAndMaximaHaveTheSameBitsForEveryTeamSize) {
  const int team_size = GetParam();
  if (team_size > Exec{}.concurrency()) GTEST_SKIP() << "needs " << team_size << " threads";
  const std::vector<int> lengths{0, 1, 15, 16, 17, 1023, 1024, 1025, 5000};
  const auto values = gaussian(5000, 3);
  const auto x = to_view<float>(values);
  const Results one = run(1, lengths, x), results = run(team_size, lengths, x);
  EXPECT_EQ(results.sum, one.sum);
  EXPECT_EQ(results.largest, one.largest);
  EXPECT_EQ(results.visits, std::vector<double>(5000, 1.0));  // each element exactly once
  for (std::size_t row = 0; row < lengths.size(); ++row) {
    double sum = 0, magnitude = 0;
    float largest = -std::numeric_limits<float>::infinity();
    for (int i = 0; i < lengths[row]; ++i) {
      sum += values[i];
      magnitude += std::abs(values[i]);
      largest = std::max(largest, values[i]);
    }
    // Higham 2002, eq. 4.4: depth * u * sum |x|.
    EXPECT_LE(std::abs(results.sum[row] - sum),
              row_sum_depth(lengths[row]) * kRoundoff<float> * magnitude);
    EXPECT_EQ(results.largest[row], largest);
  }
}

TEST_P(Team, MaximumOfInfinitiesIsNotAFiniteNumber) {
  const int team_size = GetParam();
  if (team_size > Exec{}.concurrency()) GTEST_SKIP() << "needs " << team_size << " threads";
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const auto x = to_view<float>(std::vector<float>(40, -infinity));
  EXPECT_EQ(run(team_size, {33, 40}, x).largest, std::vector<double>(2, -infinity));
}

INSTANTIATE_TEST_SUITE_P(Sizes, Team, testing::Values(1, 2, 4));

// A lambda for a device must not stand in a test: its body is a private function.
double sum_of_ones(int n) {
  const Vec<float> sum("sum", 1);
  kernels::for_each_row(
      "vlmark::team_test", Exec{}, 1, KOKKOS_LAMBDA(const kernels::Team& team, int) {
        const float s = kernels::row_sum(team, n, kernels::Packing<1>{true},
                                         [](auto at) { return at.map([](int) { return 1.0f; }); });
        Kokkos::single(Kokkos::PerTeam(team), [&] { sum(0) = s; });
      });
  return to_host(sum)[0];
}

TEST(TeamSum, KeepsSmallTermsOfALongRow) {
  constexpr int n = 1 << 26;  // a single fp32 sum of as many ones stops at 2^24
  EXPECT_EQ(sum_of_ones(n), n);
}

Results visit(int n) {
  const Vec<float> elements("elements", n), rows("rows", n), blocks("blocks", 3 * n);
  const auto packs = kernels::packing(blocks).only_if(n % 4 == 0);
  kernels::for_each_element(
      "vlmark::team_test", Exec{}, n, KOKKOS_LAMBDA(std::size_t i) { elements(i) += 1; });
  kernels::for_each_row(
      "vlmark::team_test", Exec{}, n, KOKKOS_LAMBDA(const kernels::Team& team, int row) {
        kernels::for_each(team, 1, [&](int) { rows(row) += 1; });
      });
  kernels::for_each_row(
      "vlmark::team_test", Exec{}, 1, KOKKOS_LAMBDA(const kernels::Team& team, int) {
        kernels::for_each_block(team, 3, n, packs, [=](int block, auto at) {
          const auto x = at.load(blocks.data() + block * n);
          at.store(blocks.data() + block * n, [&](int j) { return x[j] + 1; });
        });
      });
  return {to_host(elements), to_host(rows), to_host(blocks)};
}

TEST(TeamLoops, VisitEveryRowBlockAndElementOnce) {
  for (const int n : {0, 1, 4095, 4096, 4097, 10000}) {
    const Results visits = visit(n);
    EXPECT_EQ(visits.sum, std::vector<double>(n, 1.0));
    EXPECT_EQ(visits.largest, std::vector<double>(n, 1.0));
    EXPECT_EQ(visits.visits, std::vector<double>(3 * n, 1.0));
  }
}

}  // namespace
}  // namespace vlmark::test
