#pragma once

#include <filesystem>
#include <string>

#include "src/doctor/check.hpp"

namespace vlmark::doctor {

// Checks of the machine that a process runs on. `root`: of the file system whose /proc and /sys are
// read. None throws; what a machine does not say is absent.

/// The widest instruction set of this CPU against the one that this build was compiled for, both as
/// instruction_set() names them.
Check instruction_set_check(const std::string& cpu, const std::string& build);
/// Clock now, lowest and highest over all CPUs.
Check frequency_check(const std::filesystem::path& root);
Check governor_check(const std::filesystem::path& root);
/// What the system takes the time from.
Check clock_source_check(const std::filesystem::path& root);
/// Transparent huge pages, which VLMark does not ask for page by page: "always" has them.
Check huge_page_check(const std::filesystem::path& root);
/// Memory of the system.
Check memory_check(const std::filesystem::path& root);
/// Limits of memory of the control groups around this process, version 1 and 2.
Check group_memory_check(const std::filesystem::path& root);
/// NVIDIA GPUs on the PCI bus and their driver against whether this build computes on one.
Check gpu_check(const std::filesystem::path& root, bool build_for_gpu);

}  // namespace vlmark::doctor
