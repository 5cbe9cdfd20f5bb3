#include "src/recipe/learning_rate.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace vlmark::recipe {

double LearningRate::at(int step) const {
  if (step < warmup_steps) return peak * (step + 1) / warmup_steps;
  if (!cosine) return peak;
  const int span = std::max(steps - 1 - warmup_steps, 1);
  const double p = std::clamp(static_cast<double>(step - warmup_steps) / span, 0.0, 1.0);
  return last + (peak - last) * (1 + std::cos(std::numbers::pi * p)) / 2;
}

}  // namespace vlmark::recipe
