#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "src/io/journal_records.hpp"

namespace vlmark::report {

/// Rule V4: no element of a collective with a known result may differ.
io::Verification collective_check(const std::string& item, std::uint64_t elements,
                                  std::uint64_t wrong);

/// Rule V5: no parameter may be NaN or infinite.
io::Verification finite_check(std::uint64_t non_finite_parameters);

/// Rule V6: the hashes of all replicas are equal; `different` counts those that differ from rank
/// 0's.
io::Verification replica_check(const std::string& item, int ranks, int different);

}  // namespace vlmark::report
