#include "src/report/verdict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "src/io/record.hpp"

namespace vlmark::report {
io::Verification collective_check(const std::string& item, std::uint64_t elements,
                                  std::uint64_t wrong) {
  return {"V4", fmt::format("{}, {} elements: wrong", item, elements), static_cast<double>(wrong),
          0, wrong == 0};
}

io::Verification finite_check(std::uint64_t non_finite_parameters) {
  return {"V5", "parameters that are NaN or infinite", static_cast<double>(non_finite_parameters),
          0, non_finite_parameters == 0};
}

io::Verification replica_check(const std::string& item, int ranks, int different) {
  return {"V6", fmt::format("{}: replicas of {} that differ", item, ranks),
          static_cast<double>(different), 0, different == 0};
}

io::Verification binding_check(int ranks, int different, int unknown, const std::string& first,
                               bool official) {
  std::string item = fmt::format("of {} ranks, not bound as planned", ranks);
  if (unknown > 0) item += fmt::format(" or ({}) not known", unknown);
  if (!first.empty()) item += "; " + first;
  const int limit = official ? unknown : ranks;
  return {"V9", item, static_cast<double>(different + unknown), static_cast<double>(limit),
          different + unknown <= limit};
}

}  // namespace vlmark::report
