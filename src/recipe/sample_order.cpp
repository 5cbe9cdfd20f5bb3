#include "src/recipe/sample_order.hpp"

#include <numeric>
#include <string>
#include <utility>

#include "src/base/philox.hpp"

namespace vlmark::recipe {

std::vector<int> SampleOrder::epoch(std::int64_t epoch) const {
  const Philox random(seed_, "sample order of epoch " + std::to_string(epoch));
  std::vector<int> order(static_cast<std::size_t>(samples_));
  std::iota(order.begin(), order.end(), 0);
  for (std::size_t i = order.size(); i-- > 1;) std::swap(order[i], order[random.below(i, i + 1)]);
  return order;
}

std::vector<int> SampleOrder::micro_batch(std::int64_t step, int m) const {
  std::vector<int> chosen;
  std::int64_t k = (step * micro_batches_ + m) * micro_batch_samples_;
  std::vector<int> order;
  for (int i = 0; i < micro_batch_samples_; ++i, ++k) {
    if (i == 0 || k % samples_ == 0) order = epoch(k / samples_);
    chosen.push_back(order[static_cast<std::size_t>(k % samples_)]);
  }
  return chosen;
}

}  // namespace vlmark::recipe
