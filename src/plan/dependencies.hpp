#pragma once

#include <string>
#include <vector>

#include "src/plan/schedule.hpp"

namespace vlmark::plan {

/// For every action the earlier actions, of other lanes, that must have ended before it starts.
using Waits = std::vector<std::vector<int>>;

/// Derives what each action waits for from the buffers it touches:
///
/// - a read waits for the last write of the buffer;
/// - a write waits for the last write and for every read since.
///
/// Order inside a lane holds by itself, and what another wait already implies is left out, so each
/// entry costs one event. Cost: O(accesses * lanes).
Waits dependencies(const Schedule& schedule);

/// Every pair of actions that touch one buffer from two lanes, at least one of them writing, with
/// nothing that orders them: neither a lane nor a chain of `waits`. Names both and the buffer;
/// empty means that any timing gives the result of the plain sequence. Shares no code with
/// dependencies(). Cost: O(pairs of accesses to a buffer).
std::vector<std::string> unordered(const Schedule& schedule, const Waits& waits);

}  // namespace vlmark::plan
