#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "src/io/journal_records.hpp"

namespace vlmark::report {

/// What a finished run claims.
struct Claim {
  std::string fom = "train.positions_per_s";
  double value = 0;  ///< work / time of the timed window
  std::string model, precision, instruction_set;
  int ranks = 1;
  int steps = 0, untimed_steps = 0;  ///< of the whole run; not in the window
};

/// Rule V4: no element of a collective with a known result may differ.
io::Verification collective_check(const std::string& item, std::uint64_t elements,
                                  std::uint64_t wrong);

/// Rule V5 on a learnable task: the mean loss of the last five steps must lie below `ratio_limit`
/// times the first loss, no loss or gradient norm may be NaN or infinite, and the last loss may not
/// be ln(vocab), which is what a model that learned nothing gives.
std::vector<io::Verification> loss_checks(const std::vector<double>& losses,
                                          const std::vector<double>& grad_norms,
                                          std::uint64_t non_finite_parameters, int vocab,
                                          double ratio_limit);

/// Rule V6: the hashes of all replicas are equal; `different` counts those that differ from rank
/// 0's.
io::Verification replica_check(const std::string& item, int ranks, int different);

/// True when every check passed and there is at least one.
bool valid(const std::vector<io::Verification>& checks);

/// The closing line, stable and greppable:
/// `VLMARK RESULT VALID official=no checked=V4,V5,V6 fom=train.positions_per_s value=1.234e+03 ...`
/// `VLMARK RESULT INVALID rule=V5 detail="..." official=no checked=V4,V5,V6 ...`
std::string result_line(const std::vector<io::Verification>& checks, const Claim& claim);

}  // namespace vlmark::report
