#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vlmark::doctor {

/// How a finding is to be taken, the gravest last.
enum class Status {
  ok,
  absent,  ///< this machine does not say, or has no such thing
  warn,    ///< a run works, but slower, or not comparable
  fail     ///< a run will not work, or not be what it claims
};
std::string_view name_of(Status status);

/// One thing that was looked at.
struct Check {
  std::string name;  ///< "huge pages": the same on every rank
  Status status = Status::ok;
  std::string found;   ///< with values
  std::string advice;  ///< what to do; empty where there is nothing to do
  bool operator==(const Check&) const = default;
};

/// The findings of all ranks, by rank, as one list: of each check the gravest, of the first rank that
/// has it, with the number of ranks that share its status where not all do. Every rank has the same
/// checks in the same order.
std::vector<Check> worst_of(const std::vector<std::vector<Check>>& of_ranks);

/// Whether any is a fail.
bool any_fail(const std::vector<Check>& checks);

}  // namespace vlmark::doctor
