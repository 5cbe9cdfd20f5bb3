#pragma once

#include <cstdint>

namespace vlmark {

/// Largest resident memory of this process so far, in byte, as the operating system saw it
/// (VmHWM); 0 where it does not say.
std::int64_t peak_resident_bytes();

/// Resident memory of this process now (VmRSS); 0 where the system does not say.
std::int64_t resident_bytes();

}  // namespace vlmark
