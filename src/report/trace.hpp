#pragma once

#include <functional>

#include "src/io/record.hpp"
#include "src/report/timeline.hpp"

namespace vlmark::report {

/// The last step whose actions a record holds, of the ranks that `shown` accepts, in s from its
/// begin on rank 0's clock; titled "Trace of step n". Actions of the tensor lane stand in the
/// compute lane, whose queue runs them. Actions with a kind, lane or rank that the record has no
/// name or clock for are left out. Without actions no bars.
Timeline recorded_step(const io::Record& record, const std::function<bool(int)>& shown);

}  // namespace vlmark::report
