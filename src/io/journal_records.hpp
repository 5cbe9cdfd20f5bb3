#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "src/base/counters.hpp"
#include "src/io/journal.hpp"

namespace vlmark::io {

inline constexpr std::uint32_t kJournalVersion = 1;

/// Values are part of the format.
enum class RecordType : std::uint32_t {
  begin = 1,
  step_timing,
  step_scalars,
  step_counters,
  action,
  memory,
  verification,
  text,
  kernel,
  clock_offset,
  plan_value,
  end
};

/// Parts of a step's time; what is in none of them is other time.
enum class Phase : std::uint8_t {
  load,
  wait_data,
  vit,
  merger,
  decoder,
  head,
  exposed_data,
  exposed_tensor,
  exposed_pipeline,
  optimizer
};
inline constexpr int kPhases = 10;
const char* name_of(Phase phase);

/// What a step's samples hold, over all ranks.
enum class TokenKind : std::uint8_t { text, vision, supervised, patches, pictures, documents };
inline constexpr int kTokenKinds = 6;
const char* name_of(TokenKind kind);

// PODs of the format: no padding, little-endian.

struct JournalBegin {
  std::uint32_t version = kJournalVersion;
  std::int32_t rank = 0, ranks = 1;
  std::uint32_t reserved = 0;
};

struct StepTiming {
  std::int64_t step = 0;
  std::int64_t start_ns = 0, end_ns = 0;  ///< monotonic clock of this rank
  std::int64_t phase_ns[kPhases] = {};    ///< durations
  bool operator==(const StepTiming&) const = default;
};

/// Equal on every rank; the record takes those of rank 0.
struct StepScalars {
  std::int64_t step = 0;
  double loss = 0;       ///< mean over the supervised tokens of the step, all ranks
  double grad_norm = 0;  ///< before clipping
  double learning_rate = 0;
  std::int64_t tokens[kTokenKinds] = {};  ///< of the step, all ranks
  bool operator==(const StepScalars&) const = default;
};

/// What this rank did within one step, counted at the calls (base/counters.hpp).
struct StepCounters {
  std::int64_t step = 0;
  std::uint64_t gemm_flops[kParts] = {};
  std::uint64_t attention_flops[kParts] = {};
  std::uint64_t sent_bytes = 0;
  std::uint64_t messages = 0;
  bool operator==(const StepCounters&) const = default;
};
inline constexpr int kStepCounters = 2 * kParts + 2;
/// "gemm_flops.vit" ... "messages": in the order of the struct.
std::string counter_name(int counter);
/// The counter of that name.
std::uint64_t counter_value(const StepCounters& counters, int counter);
std::uint64_t& counter_value(StepCounters& counters, int counter);

/// One action of the schedule; `kind` and `lane` index the names the record is given.
struct ActionTiming {
  std::int64_t step = 0;
  std::int32_t kind = 0, lane = 0;
  std::int32_t micro_batch = -1, chunk = -1;  ///< -1: none
  std::int64_t start_ns = 0, end_ns = 0;
  bool operator==(const ActionTiming&) const = default;
};

/// Clock of rank 0 minus the clock of this rank.
struct ClockOffset {
  std::int64_t offset_ns = 0;
  std::int64_t error_ns = -1;  ///< bound of the error; -1: not estimated
  bool operator==(const ClockOffset&) const = default;
};

// Records of variable length.

struct MemoryPeak {
  std::string category;
  std::int64_t planned_bytes = 0, measured_bytes = 0;
  bool operator==(const MemoryPeak&) const = default;
};

struct Verification {
  std::string rule;  ///< "V5"
  std::string item;
  double value = 0, limit = 0;
  bool passed = false;
  bool operator==(const Verification&) const = default;
};

/// A text of the record: the key is its place, "config", "topology" or below "provenance/",
/// "topology/" or "plan/". A key noted twice keeps its last value. The record takes rank 0's.
struct Text {
  std::string key, value;
  bool operator==(const Text&) const = default;
};

/// A shape of counters().kernels.
struct KernelUse {
  std::string shape, kernel;
  std::uint64_t count = 0;
  bool operator==(const KernelUse&) const = default;
};

/// A prediction of the plan: "decoder.flops" ...
struct PlanValue {
  std::string name;
  double value = 0;
  bool operator==(const PlanValue&) const = default;
};

void append(JournalWriter& journal, const StepTiming& record);
void append(JournalWriter& journal, const StepScalars& record);
void append(JournalWriter& journal, const StepCounters& record);
void append(JournalWriter& journal, const ActionTiming& record);
void append(JournalWriter& journal, const ClockOffset& record);
void append(JournalWriter& journal, const MemoryPeak& record);
void append(JournalWriter& journal, const Verification& record);
/// Throws ValueError for a key that has no place in the record.
void append(JournalWriter& journal, const Text& record);
void append(JournalWriter& journal, const KernelUse& record);
void append(JournalWriter& journal, const PlanValue& record);

/// Work of one step: the counters now less those at its begin.
StepCounters step_counters(std::int64_t step, const Counts& before, const Counts& now);
/// Every kernel of counters().kernels, one record each.
void append_kernels(JournalWriter& journal, const Counters& counters);

}  // namespace vlmark::io
