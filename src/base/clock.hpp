#pragma once

#include <cstdint>
#include <string>

namespace vlmark {

/// Nanoseconds of the monotonic clock.
std::int64_t monotonic_ns();

/// Wall-clock time as `2026-11-24T06:20:18Z`.
std::string utc_now();

}  // namespace vlmark
