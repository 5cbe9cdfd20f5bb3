#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "src/report/result.hpp"

namespace vlmark::report {

/// Runs of one system, as rules R10 and R11 let them count.
struct Series {
  std::string name;             ///< the folder or folders it was read from
  std::vector<RunResult> runs;  ///< that count, in the order of their launches
  std::vector<std::string>
      failed;  ///< folders of launches without a result; they stay in the record
  int launched = 0, declared = 0;
  bool windowed() const { return launched - static_cast<int>(failed.size()) > declared; }

  std::vector<double> foms() const;
  bool flagged(const std::string& flag) const;  ///< any run
  bool official() const;                        ///< every run
};

/// Reads results folders (with a result.json) and series folders (with run-1, run-2, ..., each a
/// results folder, or what a failed launch left) and joins those given into one series. A single
/// folder whose subfolders are such folders holds one configuration in each: they come by their
/// names; else the only name is "".
///
/// Throws InvalidInputError for a folder without any result, a result that cannot be read, that is
/// not VALID or not measured; fewer runs than declared; more than one failed launch of a series; a
/// launch that is missing among the numbers; one repetition twice; runs of different systems (ranks,
/// layout, instruction set). NotComparableError where runs of a series differ in what
/// require_comparable looks at.
std::map<std::string, Series> read_series(const std::vector<std::filesystem::path>& folders);

/// Throws NotComparableError, with every difference and both values, unless the two results agree in
/// FOM, unit, direction, rule version, manifest, model, precision and tier (R16).
void require_comparable(const RunResult& base, const RunResult& other);

/// Throws NotComparableError for a result of other rules than those of this version.
void require_known_rules(const RunResult& result);

/// Rule R11 where more runs than the n declared came to an end: of all n consecutive ones the window
/// whose median FOM is the median of those, the worse of two in the middle.
std::vector<RunResult> median_window(const std::vector<RunResult>& runs, int n);

}  // namespace vlmark::report
