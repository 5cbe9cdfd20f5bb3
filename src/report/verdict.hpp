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

/// Rule V9: `different` ranks do not run as planned (parallel::binding_problems; `first` says how the
/// first of them runs), of `unknown` more nobody can say. It gates official runs alone, and no rank
/// of a system that cannot bind; the judge makes a flag of the rest.
io::Verification binding_check(int ranks, int different, int unknown, const std::string& first,
                               bool official);

}  // namespace vlmark::report
