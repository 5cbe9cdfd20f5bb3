#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "src/io/journal_records.hpp"
#include "src/report/shown_bench.hpp"
#include "src/report/timeline.hpp"
#include "src/stats/interval.hpp"

namespace vlmark::report {

// What a report shows of a run. Every part may be absent: a section shows what there is and says what
// is not there. Whoever fills it (read_run.hpp) decides what a number means; the page only draws.

/// What can be said of a run as a whole.
enum class Standing {
  valid,
  invalid,
  not_sealed,    ///< passes every rule, but its files are not as the run left them
  not_measured,  ///< passes every rule, but is emulated or projected
  not_judged,    ///< whole record, but not one that this version's rules can judge
  incomplete,    ///< journals and no record
  damaged,       ///< a record that cannot be read
  empty          ///< a launch that left nothing
};
/// "VALID", "INVALID", "NOT JUDGED", ...
const char* name_of(Standing standing);

/// What a number counts; decides how it is written (quantity.hpp).
enum class Unit {
  none,
  count,
  seconds,
  bytes,
  flops,
  flops_per_second,
  bytes_per_second,
  fraction
};

/// A number of a run or a text; a row where several runs are compared.
struct Fact {
  std::string group, label;
  std::string text;             ///< where there is no number
  std::optional<double> value;  ///< in s, byte, FLOP, ... or of `suffix`
  Unit unit = Unit::none;
  std::string suffix;  ///< written behind a number of Unit::none: "positions/s"
};

/// Steps of one rank, as it noted them: of an incomplete run ranks have different numbers of them.
struct RankSteps {
  int rank = 0;
  std::vector<std::int64_t> step;           // [step] their numbers
  std::vector<double> seconds;              // [step]
  std::vector<std::vector<double>> phases;  // [step][phase] s
};

struct ShownMemory {
  int rank = 0;
  std::string category;
  double planned = 0;              ///< byte
  std::optional<double> measured;  ///< byte
};

/// Work of a part of the model over the timed steps, all ranks.
struct PartRate {
  std::string part;
  double flops = 0;             ///< counted at the calls
  double seconds = 0;           ///< spent in the part, summed over ranks
  std::optional<double> bytes;  ///< moved between memory and processor
  double rate() const { return seconds > 0 ? flops / seconds : 0; }
};

/// Rates of one rank that were measured on the machine of the run.
struct MachineRates {
  std::optional<double> flops_per_second, bytes_per_second;
};

struct FigureOfMerit {
  std::string name, unit;
  double value = 0;
  bool higher_is_better = true;
  std::optional<stats::Interval> within_run;  ///< 95 %
};

struct ShownRun {
  std::string name;  ///< heading of its column
  Standing standing = Standing::empty;
  std::string reason;  ///< why it stands so, a sentence
  std::vector<std::string>
      warnings;                    ///< of its files: seals, a result that the record does not give
  std::vector<std::string> flags;  ///< what a reader must know and no rule forbids
  std::optional<FigureOfMerit> fom;
  std::vector<Fact> facts;
  std::vector<io::Verification> checks;
  std::vector<std::string> phases;  ///< names along RankSteps::phases
  std::vector<RankSteps> ranks;
  std::optional<int> untimed;  ///< first steps of every rank, not in the window
  std::vector<ShownMemory> memory;
  std::vector<std::pair<std::string, double>> planned;  ///< byte by category, of rank 0
  std::vector<PartRate> rates;
  MachineRates machine;
  Timeline trace;
  std::vector<std::string> lanes;  ///< of the trace
  std::vector<std::pair<std::string, std::string>> provenance;
  std::map<std::string, std::string> config;  ///< "train.steps" -> "20"

  /// Index of the first step of the window; 0 where it is not known.
  std::size_t first_timed() const { return static_cast<std::size_t>(untimed.value_or(0)); }
};

/// Launches of one series (rules R10, R11, R14), as runs of the report.
struct ShownSeries {
  std::string name;
  int declared = 0;               ///< 0: not known
  std::vector<std::size_t> runs;  ///< indices into Report::runs, in the order of the launches
  std::string problem;            ///< why `vlmark compare` would refuse it; empty: it does not
  std::vector<Fact> facts;        ///< statistics over the runs that count
  std::optional<double> median;
  std::optional<stats::Interval> interval;
  std::size_t shown = 0;  ///< the run that stands for the others in figures
};

struct Report {
  std::vector<ShownRun> runs;
  std::vector<ShownSeries> series;
  std::vector<ShownBench> benches = {};
};

}  // namespace vlmark::report
