#include "src/verification/communicators.hpp"

#include <algorithm>

#include "parallel/check_collectives.hpp"

namespace vlmark::verification {

std::vector<Finding> check_communicators(engine::TrainingEngine& engine) {
  std::vector<Finding> found;
  engine.visit_communicators([&](const char* name, parallel::Communicator& comm, long longest) {
    std::vector<std::size_t> sizes = parallel::kCheckedSizes;
    const std::size_t largest = std::min(static_cast<std::size_t>(longest), kLargestChecked);
    if (largest > sizes.back()) sizes.push_back(largest);
    std::map<std::string, std::uint64_t> wrong;
    for (const auto& check : parallel::check_collectives(comm, sizes))
      wrong[check.item] += check.wrong;
    for (const auto& [item, elements] : wrong)
      found.push_back(finding(
          "V4", std::string(name) + " group of " + std::to_string(comm.size()) + ", " + item,
          static_cast<double>(elements), 0,
          "wrong in 1 to " + std::to_string(sizes.back()) + " elements"));
  });
  found.push_back(finding("V4", "sums of gradients over micro-batches and replicas",
                          static_cast<double>(engine.wrong_gradient_sums()), 0, "wrong elements"));
  return found;
}

}  // namespace vlmark::verification
