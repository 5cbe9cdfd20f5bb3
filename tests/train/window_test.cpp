#include "src/train/window.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace vlmark::train {
namespace {

config::RunConfig config_of(int steps, int untimed) {
  config::RunConfig config;
  config.train.steps = steps;
  config.train.untimed_steps = untimed;
  return config;
}

/// Untimed steps until the window opens, of steps that take as long as `seconds` says.
int opens_after(const Window& window, double (*seconds)(int)) {
  std::vector<double> untimed;
  while (!window.opens(untimed)) untimed.push_back(seconds(static_cast<int>(untimed.size())));
  return static_cast<int>(untimed.size());
}

double steady(int) { return 0.5; }

TEST(Window, IsWhatTheUntimedStepsLeave) {
  const Window window(config_of(30, 5));
  EXPECT_EQ(opens_after(window, steady), 5);
  EXPECT_EQ(window.steps(std::vector<double>(5, 0.5)), 25);
  EXPECT_EQ(window.further(25, 12.5, 0), 0);
  // At least one step is timed.
  EXPECT_EQ(opens_after(Window(config_of(3, 5)), steady), 2);
  EXPECT_EQ(opens_after(Window(config_of(1, 0)), steady), 0);
}

TEST(Window, WaitsUntilTimesStandStill) {
  config::RunConfig config = config_of(1000, 20);
  config.window.stationary = true;
  EXPECT_EQ(opens_after(Window(config), steady), 20);
  // 2 % a step for 33 steps, then at rest.
  const auto warms_up = [](int i) { return i < 33 ? 2 - 0.02 * i : 1.0; };
  // The last two groups of ten have one median from the 49th step on: 33 + 16.
  EXPECT_EQ(opens_after(Window(config), warms_up), 49);
  config.window.most_untimed_steps = 40;
  EXPECT_EQ(opens_after(Window(config), warms_up), 40);
  // 2 % a step: never.
  config.window.most_untimed_steps = 200;
  EXPECT_EQ(opens_after(Window(config), [](int i) { return 1 + 0.02 * i; }), 200);
}

TEST(Window, LastsAsLongAsAskedFor) {
  config::RunConfig config = config_of(1000, 5);
  config.window.steps = 10;
  config.window.seconds = 60;
  const Window window(config);
  const std::vector<double> untimed(5, 0.5);
  EXPECT_EQ(window.steps(untimed), 120);
  EXPECT_EQ(window.further(120, 59, 875), 3);  // 1 s at 0.49 s a step
  EXPECT_EQ(window.further(120, 60, 875), 0);
  EXPECT_EQ(window.further(120, 30, 7), 7);  // there are no more
  config.window.seconds = 1;
  EXPECT_EQ(Window(config).steps(untimed), 10);
}

}  // namespace
}  // namespace vlmark::train
