#pragma once

#include <optional>
#include <string>
#include <vector>

#include "src/io/record.hpp"
#include "src/stats/interval.hpp"

namespace vlmark::judge {

/// The figure of merit of one run (rules R1 to R3).
struct Figure {
  std::string name = "train.positions_per_s", unit = "1/s", better = "higher";
  double work = 0;     ///< text and merged vision positions that entered the decoder in the window
  double seconds = 0;  ///< from the first rank's start of the window to the last rank's end
  double value = 0;    ///< work / seconds
  std::optional<stats::Interval> within_run;  ///< 95 %, by blocks of steps
};

/// What rule R1 wants beside the figure of merit, over the window.
struct Rates {
  double samples_per_s = 0, pictures_per_s = 0, patches_per_s = 0;
  double text_tokens_per_s = 0, supervised_tokens_per_s = 0;
  double t_20m_s = 0;  ///< seconds of 20 million positions
  /// FLOPs of the model, and those that were computed, over those that the ranks could have by the
  /// rate of products measured in the same process.
  std::optional<double> mfu, hfu;
};

/// What the rules make of a record, from nothing but the record: the run that wrote it and
/// `vlmark verify` do the same arithmetic in the same order, so they agree to the last bit.
struct Judgement {
  Figure figure;
  Rates rates;
  std::vector<io::Verification> checks;  ///< every gate, recomputed; those noted by the run held
                                         ///< against their limits once more
  std::vector<std::string> flags;        ///< what a reader must know and no rule forbids
  std::string rules, kind;               ///< version; measured, emulated or projected
  bool official = false;
  std::string model, precision, layout, instruction_set, manifest_sha256;
  int ranks = 0;
  int repetition = 1, repetitions = 1;   ///< this launch, of those declared
  std::vector<double> excluded_seconds;  ///< [untimed step] the longest of all ranks
  std::vector<double> step_seconds;      ///< [window step] the same
  double setup_seconds = 0;

  bool valid() const;
  /// The check that decides; null where all passed.
  const io::Verification* failed() const;
};

/// Throws IoError where the record does not hold what a run notes.
Judgement judge(const io::Record& record);

/// result.json: schema 1, one key a line, numbers with as many digits as they have.
std::string result_json(const Judgement& judgement);
/// "rates: 5.2 samples/s, ...": what rule R1 wants printed.
std::string rates_line(const Judgement& judgement);
/// The closing line, stable and greppable:
/// `VLMARK RESULT VALID official=no checked=R5,V4 fom=train.positions_per_s value=1.234e+03 ...`
/// `VLMARK RESULT INVALID rule=V5 detail="..." official=no checked=R5,V4 ...`
std::string result_line(const Judgement& judgement);

}  // namespace vlmark::judge
