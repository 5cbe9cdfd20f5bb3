#pragma once

#include <string>
#include <utility>
#include <vector>

namespace vlmark::bench {

/// One line of bench.json (docs/benchmarks.md): a case, whether it ran, and what came of it.
struct Row {
  std::string name, status = "ok";  ///< "ok", "skipped" or "failed"
  std::string detail;               ///< why not ok
  std::vector<std::pair<std::string, std::string>> texts;
  std::vector<std::pair<std::string, double>> numbers;
  std::vector<double> seconds;  ///< samples of one call; of an ok row only
};

/// All of one program's run.
struct Record {
  std::string program;  ///< "vlmark_bench"
  std::string started_utc;
  std::vector<std::string> arguments;
  int threads = 1, ranks = 1;
  std::vector<std::pair<std::string, double>> rooflines;  ///< measured in the same run
  std::vector<Row> rows;

  int failed() const;
};

/// The record as JSON text.
std::string to_json(const Record& record);
/// Throws IoError where FOLDER/bench.json is there already: to be called before hours of measuring.
void require_no_record(const std::string& folder);
/// Writes FOLDER/bench.json, making the folder. Throws IoError as above, or where it cannot be
/// written.
void write_record(const std::string& folder, const Record& record);

}  // namespace vlmark::bench
