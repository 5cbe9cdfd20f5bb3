#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/call.hpp"
#include "bench/record.hpp"
#include "bench/roofline.hpp"

namespace CLI {
class App;
}

namespace vlmark::bench {

/// What the command line asks for.
struct Options {
  std::vector<std::string> models, precisions;
  std::vector<int> tensor_ranks;
  Work work;
  bool smoke = false, quick = false, spoil = false;
  double case_seconds = 30, budget = 0;  ///< s; budget 0: none
  double memory_gigabytes = 0;           ///< for one case; 0: 80 % of what is available
  int samples = 5;
  double sample_seconds = 0.05;  ///< calls of one sample fill this
  std::string backend = "automatic", folder;

  void add_options(CLI::App& app);
  /// Fills in what was not given: defaults, or what --smoke and --quick stand for.
  void settle();
};

/// One run of the program: its options, its ceilings and the rows so far.
class Session {
 public:
  explicit Session(const Options& options);

  const Options& options() const { return options_; }
  const Roofline& roofline() const { return roofline_; }
  Record& record() { return record_; }
  /// Seconds since it began.
  double elapsed() const;
  /// Why this case is not run, as text; empty where it is.
  std::string refusal(const Call& call) const;

 private:
  Options options_;
  Roofline roofline_;
  Record record_;
  std::int64_t begin_;
};

/// Registers the calls of all models with Google Benchmark; those that no layout allows become rows
/// that are skipped. `session` outlives the run.
void register_calls(Session& session);

}  // namespace vlmark::bench
