#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace vlmark {

/// Largest resident memory of this process so far, in byte, as the operating system saw it
/// (VmHWM); 0 where it does not say.
std::int64_t peak_resident_bytes();

/// Resident memory of this process now (VmRSS); 0 where the system does not say.
std::int64_t resident_bytes();

/// The tightest limit of memory among the control groups around this process (a batch system's or a
/// container's).
struct GroupMemory {
  std::int64_t limit = 0, left = 0;  ///< byte; what the kernel can take back counts as left
  int version = 0;                   ///< of control groups: 1 or 2
};
/// Nothing where no group limits it.
std::optional<GroupMemory> group_memory(const std::filesystem::path& root = "/");

/// What all processes of this node together may still allocate, in byte: the system's MemAvailable,
/// or what is left under the limits of this process's control groups (a batch system's), where that
/// is less. 0 where neither is known. `root`: of the file system.
std::int64_t available_bytes(const std::filesystem::path& root = "/");

}  // namespace vlmark
