#include "src/doctor/check.hpp"

#include <algorithm>

#include "src/base/contracts.hpp"

namespace vlmark::doctor {

std::string_view name_of(Status status) {
  switch (status) {
    case Status::ok:
      return "ok";
    case Status::absent:
      return "absent";
    case Status::warn:
      return "warn";
    default:
      return "fail";
  }
}

std::vector<Check> worst_of(const std::vector<std::vector<Check>>& of_ranks) {
  std::vector<Check> worst;
  for (std::size_t i = 0; i < of_ranks.at(0).size(); ++i) {
    std::size_t rank = 0, same = 0;
    for (std::size_t r = 0; r < of_ranks.size(); ++r) {
      expects(of_ranks[r].size() == of_ranks[0].size());
      if (of_ranks[r][i].status > of_ranks[rank][i].status) rank = r;
    }
    for (const auto& checks : of_ranks) same += checks[i].status == of_ranks[rank][i].status;
    Check check = of_ranks[rank][i];
    if (same < of_ranks.size())
      check.found += " (rank " + std::to_string(rank) + ", " + std::to_string(same) + " of " +
                     std::to_string(of_ranks.size()) + " ranks)";
    worst.push_back(std::move(check));
  }
  return worst;
}

bool any_fail(const std::vector<Check>& checks) {
  return std::any_of(checks.begin(), checks.end(),
                     [](const Check& check) { return check.status == Status::fail; });
}

}  // namespace vlmark::doctor
