#pragma once

#include <filesystem>

namespace vlmark::io {

/// `<folder>/samples.h5`: exists only when a run came to its end.
std::filesystem::path record_path(const std::filesystem::path& folder);

/// Creates a results folder with its `journals/` and shows that it can be written to. Refuses one
/// that holds a record, or the journals of a run that did not end, unless `overwrite`: those are
/// removed then, so that a new run that fails never leaves an old record. One rank calls it.
/// Throws IoError.
void create_results_folder(const std::filesystem::path& folder, bool overwrite);

}  // namespace vlmark::io
