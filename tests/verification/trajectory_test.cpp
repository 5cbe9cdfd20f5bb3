#include "src/verification/trajectory.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "src/base/fault.hpp"
#include "src/verification/gradient_check.hpp"

namespace vlmark::test {
namespace {

using verification::Finding;

model::TrainingSettings settings(DType type, DType state = DType::f32) {
  model::TrainingSettings s;
  s.type = type;
  s.optimizer.state = state;
  return s;
}

/// Values over their limits, at most.
double worst(const std::vector<Finding>& found) {
  double worst = 0;
  for (const Finding& f : found)
    if (!(f.check.value / f.check.limit <= worst)) worst = f.check.value / f.check.limit;
  return worst;
}

class Trajectory : public testing::Test {
 protected:
  void TearDown() override { plant_fault(Fault::none); }
};

TEST(Finding, TheLimitItselfPassesAndWhatIsAboveFails) {
  const double limit = 1e-5;
  EXPECT_TRUE(verification::finding("V5", "x", limit, limit).check.passed);
  EXPECT_FALSE(verification::finding("V5", "x", std::nextafter(limit, 1), limit).check.passed);
  EXPECT_FALSE(verification::finding("V5", "x", NAN, limit).check.passed);
}

TEST_F(Trajectory, AgreesWithFp64FarBelowTheLimits) {
  for (const bool tied : {true, false}) {
    EXPECT_LT(worst(verification::check_trajectory(settings(DType::f32), tied)), 0.3);
    EXPECT_LT(worst(verification::check_trajectory(settings(DType::bf16), tied)), 0.8);
    EXPECT_LT(worst(verification::check_gradient(settings(DType::f32), tied)), 0.3);
    EXPECT_LT(worst(verification::check_gradient(settings(DType::bf16), tied)), 0.6);
    EXPECT_LT(worst(verification::check_gradient(settings(DType::bf16, DType::bf16), tied)), 0.6);
  }
}

TEST_F(Trajectory, AgreesForEveryWayToRunAStep) {
  model::TrainingSettings s = settings(DType::f32);
  s.deterministic = false;
  EXPECT_LT(worst(verification::check_trajectory(s, true)), 0.3);
  s.recompute.layer = true;
  EXPECT_LT(worst(verification::check_trajectory(s, false)), 0.3);
  EXPECT_LT(worst(verification::check_trajectory(settings(DType::bf16, DType::bf16), true)), 0.8);
}

TEST_F(Trajectory, FindsASkippedLayer) {
  plant_fault(Fault::skipped_layer);
  EXPECT_GT(worst(verification::check_trajectory(settings(DType::f32), true)), 100);
  EXPECT_GT(worst(verification::check_trajectory(settings(DType::bf16), true)), 1.5);
  EXPECT_GT(worst(verification::check_gradient(settings(DType::bf16), true)), 5);
}

TEST_F(Trajectory, FindsAGradientThatIsOnePercentTooLarge) {
  plant_fault(Fault::wrong_gradient);
  EXPECT_GT(worst(verification::check_trajectory(settings(DType::f32), true)), 1.5);
  // The run's precision does not matter here.
  EXPECT_GT(worst(verification::check_gradient(settings(DType::bf16), true)), 50);
}

TEST_F(Trajectory, FindsNan) {
  plant_fault(Fault::nan_loss);
  for (const Finding& f : verification::check_trajectory(settings(DType::f32), true))
    EXPECT_EQ(f.check.passed, f.key.find("loss") == std::string::npos) << f.key;
}

}  // namespace
}  // namespace vlmark::test
