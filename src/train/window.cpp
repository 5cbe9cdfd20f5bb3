#include "src/train/window.hpp"

#include <algorithm>
#include <cmath>

#include "src/recipe/window_rules.hpp"
#include "src/stats/summary.hpp"

namespace vlmark::train {
bool Window::opens(std::span<const double> untimed) const {
  const int done = static_cast<int>(untimed.size());
  if (done >= train_.steps - std::max(window_.steps, 1)) return true;
  if (done < train_.untimed_steps) return false;
  return !window_.stationary || done >= window_.most_untimed_steps ||
         recipe::drift(untimed) < recipe::kMostDrift;
}

int Window::steps(std::span<const double> untimed) const {
  const int left = train_.steps - static_cast<int>(untimed.size());
  if (window_.steps == 0 && window_.seconds == 0) return left;
  int wanted = std::max(window_.steps, 1);
  if (window_.seconds > 0 && !untimed.empty()) {
    const double each = stats::median_of(untimed.last(std::min<std::size_t>(untimed.size(), 10)));
    wanted = static_cast<int>(
        std::min<double>(std::max<double>(wanted, std::ceil(window_.seconds / each)), left));
  }
  return std::min(wanted, left);
}

int Window::further(int done, double elapsed, int left) const {
  if (window_.seconds <= elapsed || done == 0) return 0;
  const double missing = std::ceil((window_.seconds - elapsed) / (elapsed / done));
  return static_cast<int>(std::min<double>(std::max(missing, 1.0), left));
}

}  // namespace vlmark::train
