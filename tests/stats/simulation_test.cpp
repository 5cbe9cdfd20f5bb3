// Rates of verdicts on simulated series of runs, each drawn by Philox: the same on every machine.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "src/base/philox.hpp"
#include "src/stats/comparison.hpp"

namespace vlmark::stats {
namespace {

struct Rates {
  double faster = 0, slower = 0, equivalent = 0;
};

/// Part of `pairs` that gets each verdict: n runs a side, B faster by the log ratio `effect`, log FOM
/// normal with that deviation; `noise` is a measured A/A spread, or 0 for that within the series.
Rates simulate(int pairs, int n, double deviation, double effect, double noise,
               const std::string& stream) {
  const Philox random(20, stream);
  std::uint64_t draw = 0;
  const auto series = [&](double mean) {
    std::vector<double> foms;
    for (int i = 0; i < n; ++i)
      foms.push_back(1000 * std::exp(mean + deviation * random.normal(draw++)));
    return foms;
  };
  Rates rates;
  for (int p = 0; p < pairs; ++p) {
    Pair pair{.a = {series(0)}, .b = {series(effect)}};
    if (noise > 0) pair.noise = {{1.0, std::exp(2 * noise)}};
    const Verdict verdict = compare({pair}).front().verdict;
    rates.faster += verdict == Verdict::faster;
    rates.slower += verdict == Verdict::slower;
    rates.equivalent += verdict == Verdict::equivalent;
  }
  return {rates.faster / pairs, rates.slower / pairs, rates.equivalent / pairs};
}

std::string name(int n, double value) { return std::to_string(n) + " " + std::to_string(value); }

TEST(Simulation, OfTwoEqualSystemsAtMostFivePercentDiffer) {
  for (const int n : {3, 6, 9, 12})
    for (const double cv : {0.003, 0.01, 0.03})
      for (const double noise : {0.0, 0.005}) {  // within the series, and as small as may be
        const Rates r = simulate(1000, n, cv, 0, noise, "A/A " + name(n, cv));
        EXPECT_LE(r.faster + r.slower, 0.05) << "n " << n << " cv " << cv << " noise " << noise;
      }
}

/// The harder claim: a true ratio on the margin itself.
TEST(Simulation, OnTheMarginAtMostFivePercentGetEitherVerdict) {
  const double margin = std::log(1.01);
  for (const int n : {3, 6, 9, 12})
    for (const double cv : {0.003, 0.01, 0.018}) {
      const Rates r = simulate(2000, n, cv, margin, margin, "margin " + name(n, cv));
      // Three binomial standard errors of 2,000 pairs.
      EXPECT_LE(r.equivalent, 0.05 + 3 * std::sqrt(0.05 * 0.95 / 2000)) << n << " " << cv;
      EXPECT_LE(r.faster, 0.025 + 3 * std::sqrt(0.025 * 0.975 / 2000)) << n << " " << cv;
      EXPECT_EQ(r.slower, 0) << n << " " << cv;
    }
}

struct PowerCase {
  double cv, effect, noise;  ///< noise 0: within the series
};

TEST(Simulation, PowerIsAsComputed) {
  for (const PowerCase& c :
       {PowerCase{0.003, 0.012, 0.005}, PowerCase{0.003, 0.008, 0.005}, PowerCase{0.01, 0.03, 0.01},
        PowerCase{0.01, -0.02, 0.005}, PowerCase{0.01, 0.05, 0}, PowerCase{0.003, 0.015, 0},
        PowerCase{0.003, 0.02, 0}, PowerCase{0.003, 0.0005, 0.005}, PowerCase{0.003, 0, 0.005},
        PowerCase{0.01, 0.002, 0.015}, PowerCase{0.01, 0.001, 0}, PowerCase{0.003, 0.001, 0}})
    for (const double power : {0.8, 0.9}) {
      const bool different = std::abs(c.effect) > std::max(c.noise, 0.005);
      const auto needed = runs_needed({.effect = c.effect,
                                       .deviation = c.cv,
                                       .delta = c.noise > 0 ? c.noise : std::log1p(kLeastNoise),
                                       .from_series = c.noise == 0},
                                      different, power);
      ASSERT_TRUE(needed) << c.cv << " " << c.effect;
      const Rates r = simulate(2000, *needed, c.cv, c.effect, c.noise, "power");
      const double seen = !different ? r.equivalent : c.effect > 0 ? r.faster : r.slower;
      EXPECT_GE(seen, power - 3 * std::sqrt(power * (1 - power) / 2000))
          << "cv " << c.cv << " effect " << c.effect << " noise " << c.noise << " runs " << *needed;
    }
}

}  // namespace
}  // namespace vlmark::stats
