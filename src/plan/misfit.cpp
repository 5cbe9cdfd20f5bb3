#include "src/plan/misfit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

namespace vlmark::plan {

double total_bytes(const std::vector<MemoryItem>& items) {
  return std::accumulate(items.begin(), items.end(), 0.0, [](double bytes, const MemoryItem& item) {
    return bytes + static_cast<double>(item.bytes);
  });
}

std::string misfit(const std::string& where, const std::vector<MemoryItem>& items,
                   double memory_bytes) {
  const double bytes = total_bytes(items);
  if (bytes <= memory_bytes) return {};
  const auto& largest = *std::max_element(
      items.begin(), items.end(), [](const auto& a, const auto& b) { return a.bytes < b.bytes; });
  static constexpr std::pair<const char*, const char*> remedies[] = {
      {"activations", "Use shorter micro-batches, recompute more, or a layout of more tp or pp"},
      {"gradients",
       "Use a layout of more tp or pp, fewer micro-batches a replica, or "
       "train.deterministic = false"},
      {"optimizer", "Use more ranks, or optimizer.state = \"bf16\""},
      {"received", "Use smaller parallel.bucket_elements, or train.deterministic = false"},
      {"staging", "Use smaller parallel.bucket_elements, or a transport of device memory"},
      {"stage messages", "Use shorter micro-batches, or fewer chunks"},
      {"weights", "Use --precision bf16, or a node with more memory"},
      {"keys and values", "Lower --max-new-tokens, or shorten the prompt"},
      {"activations of the prompt", "Shorten the prompt, or use smaller pictures"}};
  const auto* const remedy =
      std::find_if(std::begin(remedies), std::end(remedies),
                   [&](const auto& known) { return largest.category == known.first; });
  return fmt::format(
      "{}: needs {:.3f} GB, but has {:.3f} GB, {:.3f} GB too few (the largest item is {} with "
      "{:.3f} GB). {}",
      where, bytes * 1e-9, memory_bytes * 1e-9, (bytes - memory_bytes) * 1e-9, largest.category,
      static_cast<double>(largest.bytes) * 1e-9,
      remedy == std::end(remedies) ? "Use a layout of more tp or pp" : remedy->second);
}

}  // namespace vlmark::plan
