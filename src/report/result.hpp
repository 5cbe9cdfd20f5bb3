#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace vlmark::report {

inline constexpr const char* kResultFile = "result.json";

/// What `result.json` of a run says; docs/comparison.md lists the keys.
struct RunResult {
  std::string file;         ///< where it was read, for messages
  std::string rules, kind;  ///< rule version; measured, emulated or projected
  bool valid = false, official = false;
  std::vector<std::string> flags;  ///< "noisy", ...
  struct Fom {
    std::string name, unit;
    double value = 0;
    bool higher_is_better = true;
    double work = 0, seconds = 0;  ///< of the window
  } fom;
  std::string model, precision, tier, layout, instruction_set, manifest_sha256;
  int ranks = 1;
  int repetition = 1, declared = 1;  ///< this run, of as many declared before the first
  struct Steps {
    int window = 0, excluded = 0;
    double median_s = 0, cv = 0, lag1 = 0;
  } steps;
};

/// Reads the text of a `result.json`. Throws IoError, begun by `file`, that names every key that is
/// absent, of another type or out of range; a rate that is not work / seconds (R3) is one of them.
/// Other keys are let pass.
RunResult parse_result(std::string_view text, const std::string& file);

/// The result of a results folder. Throws IoError as parse_result does, or where there is no file.
RunResult read_result(const std::filesystem::path& folder);

}  // namespace vlmark::report
