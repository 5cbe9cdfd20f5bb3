#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "src/doctor/check.hpp"

namespace vlmark::doctor {

/// A limit of the system on a process (getrlimit), in byte or in files; unlimited: nothing.
using Limit = std::optional<std::uint64_t>;

// Checks of what a process may have. `limit` is the one in force.

/// Memory that may be locked, which fast networks register.
Check locked_memory_check(const Limit& limit);
Check stack_check(const Limit& limit);
Check open_files_check(const Limit& limit);
/// The tighter of address space and data.
Check process_memory_check(const Limit& limit);
/// Those of this process, in the order above.
std::vector<Check> limit_checks();

/// Memory of the folder through which ranks of a node exchange messages; `free`: nothing where there
/// is no such folder.
Check shared_memory_check(const std::string& folder, const std::optional<std::uint64_t>& free_bytes,
                          const std::optional<std::uint64_t>& all_bytes, int ranks_of_node);
/// The same of a folder here.
Check shared_memory_check(const std::filesystem::path& folder, int ranks_of_node);

/// Reads an environment variable; nothing where it is not set.
using Environment = std::function<std::optional<std::string>(const char*)>;
/// This process's.
Environment environment();

/// Whether the number of threads that the environment asks for is one.
Check thread_number_check(const Environment& variable);
/// Ranks that MPI counts against those that the launcher started (rules, section 9: an MPI that does
/// not belong to the launcher makes jobs of one rank each).
Check launcher_check(const Environment& variable, int ranks);

/// Whether the folder, or the nearest above it that exists, can be written to, on what file system,
/// with how much space. Leaves nothing behind.
Check folder_check(const std::filesystem::path& folder);

}  // namespace vlmark::doctor
