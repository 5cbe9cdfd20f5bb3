#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "src/io/journal_records.hpp"

namespace vlmark::io {

/// A rank's journal, sorted by kind of record.
struct RankSamples {
  std::filesystem::path path;
  int rank = 0, ranks = 1;
  /// Empty when the journal was closed; else where it ends and why.
  std::string incomplete;
  std::vector<StepTiming> timing;
  std::vector<StepScalars> scalars;
  std::vector<StepCounters> counters;
  std::vector<ActionTiming> actions;
  std::vector<MemoryPeak> memory;
  std::vector<Verification> verification;
  std::vector<Text> texts;
  std::vector<KernelUse> kernels;
  std::vector<PlanValue> plan_values;
  ClockOffset clock;
};

/// Reads a whole journal, also one cut short by a kill. Throws IoError: another version, an unknown
/// record, a wrong checksum, records after the closing one.
RankSamples read_rank_samples(const std::filesystem::path& journal);

}  // namespace vlmark::io
