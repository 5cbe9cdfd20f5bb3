#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "src/report/shown_bench.hpp"

namespace vlmark::report {

inline constexpr const char* kBenchFile = "bench.json";
inline constexpr const char* kBenchSchema = "vlmark.bench/1";

/// Reads the text of a `bench.json`; docs/benchmarks.md lists the keys. Throws IoError, begun by
/// `file`: of another schema both; else every key that is absent, of another type or out of range,
/// and every rate that is not work / median. Keys that are not known are let pass.
ShownBench parse_bench(std::string_view text, const std::string& file);

/// The record of a folder. Throws IoError as parse_bench does, or where it cannot be read.
ShownBench read_bench(const std::filesystem::path& folder, const std::string& name);

}  // namespace vlmark::report
