#pragma once

#include <filesystem>
#include <string>

namespace vlmark::io {

/// "1.10.8": the HDF5 that this process runs on.
std::string hdf5_version();

/// Writes a small HDF5 file into the folder, or the nearest above it that exists, reads it again and
/// removes it. "" where that works, else why not.
std::string hdf5_problem(const std::filesystem::path& folder);

}  // namespace vlmark::io
