#pragma once

#include <filesystem>
#include <optional>
#include <vector>

namespace vlmark::io {

/// `<folder>/samples.h5`: exists only when a run came to its end.
std::filesystem::path record_path(const std::filesystem::path& folder);

/// Creates a results folder with its `journals/` and shows that it can be written to. Refuses one
/// that holds a record, or the journals of a run that did not end, unless `overwrite`: those are
/// removed then, so that a new run that fails never leaves an old record. One rank calls it.
/// Throws IoError.
void create_results_folder(const std::filesystem::path& folder, bool overwrite);

/// One launch of a declared number of them (rules R10 and R11), each in a folder of its own:
/// `<series>/run-1`, `run-2`, ...
struct Launch {
  std::filesystem::path folder;
  int index = 1;
};
/// The next launch of `declared` in a series. Every folder of a launch stays, also of one that
/// failed; one of those that failed may be replaced by a further launch. Throws IoError where the
/// series was declared for another number, or is complete. One rank calls it.
Launch next_launch(const std::filesystem::path& series, int declared);
/// n of a folder named run-n.
std::optional<int> launch_number(const std::filesystem::path& folder);
/// Folders of the launches of a series that are there, in order; empty: the folder is none.
std::vector<std::filesystem::path> launches_of(const std::filesystem::path& series);

}  // namespace vlmark::io
