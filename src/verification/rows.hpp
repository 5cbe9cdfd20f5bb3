#pragma once

#include <string>
#include <vector>

#include "parallel/communicator.hpp"
#include "src/io/journal_records.hpp"

namespace vlmark::verification {

/// One rank's finding under a key that all ranks share; `check.item` may say more than the key.
struct Finding {
  std::string key;
  io::Verification check;
};

/// A finding whose value must not exceed the limit; NaN fails.
Finding finding(std::string rule, std::string key, double value, double limit,
                const std::string& detail = "");

/// The findings of all ranks, the worst of each key, in order of keys: the same on every rank.
/// Collective.
std::vector<io::Verification> worst_of_ranks(parallel::Communicator& comm,
                                             const std::vector<Finding>& mine);

}  // namespace vlmark::verification
