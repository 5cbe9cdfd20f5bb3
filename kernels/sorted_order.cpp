#include "kernels/sorted_order.hpp"

#include <algorithm>

namespace vlmark::kernels {

std::vector<int> sorted_order(std::span<const int> ids) {
  std::vector<int> order;
  order.reserve(ids.size());
  for (int i = 0; i < static_cast<int>(ids.size()); ++i)
    if (ids[i] >= 0) order.push_back(i);
  std::stable_sort(order.begin(), order.end(), [ids](int a, int b) { return ids[a] < ids[b]; });
  return order;
}

}  // namespace vlmark::kernels
