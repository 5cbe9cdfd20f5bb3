#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "src/report/shown_run.hpp"

namespace vlmark::report {

/// Reads a results folder for showing, whatever state it is in: a record is judged anew, from its
/// file alone; of a run that did not end, or whose record is damaged, the journals are read as far
/// as they go. What is wrong becomes the standing with its reason, or a warning; nothing is thrown
/// for it.
ShownRun read_run(const std::filesystem::path& folder, const std::string& name);

/// Whether a folder holds anything of a run.
bool holds_run(const std::filesystem::path& folder);

/// Reads folders of runs, series (run-1, run-2, ...), benchmark records and folders of these. Throws
/// IoError where one does not exist or holds none of them, or as parse_bench does.
Report read_report(const std::vector<std::filesystem::path>& folders);

}  // namespace vlmark::report
