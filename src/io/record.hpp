#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "parallel/communicator.hpp"
#include "src/io/journal_records.hpp"

namespace vlmark::io {

inline constexpr const char* kSchemaVersion = "1";
inline constexpr const char* kRulesVersion = "1.0";

/// What the record says of a run as a whole.
struct RecordHeader {
  std::string kind = "measured";          ///< measured, emulated or projected
  std::string start_utc, end_utc;         ///< as utc_now() writes them
  std::vector<std::string> action_kinds;  ///< names that ActionTiming::kind indexes
  std::vector<std::string> lanes;         ///< names that ActionTiming::lane indexes
  bool operator==(const RecordHeader&) const = default;
};

/// Joins the journals of all ranks into `<folder>/samples.h5`, collectively through parallel HDF5.
/// The file is written as `samples.h5.tmp`, sealed (record_seal.hpp), flushed to the device and
/// renamed by rank 0 when all ranks are done: a run that fails or is killed leaves no samples.h5.
///
/// BEFORE: every rank has closed its journal.   AFTER: rank 0 sees the record in its place.
///
/// | path                                   | shape                 | content                |
/// |----------------------------------------|-----------------------|------------------------|
/// | / attributes                           | text                  | versions, RecordHeader |
/// | /config, /topology                     | text                  | of rank 0              |
/// | /provenance/*, /plan/*                 | text                  | of rank 0              |
/// | /plan/values/*                         | [item]                | PlanValue, of rank 0   |
/// | /steps/step, loss, grad_norm           | [step]                | StepScalars, of rank 0 |
/// | /steps/learning_rate                   | [step]                | StepScalars, of rank 0 |
/// | /steps/tokens                          | [step, kind]          | StepScalars, of rank 0 |
/// | /steps/start_ns, end_ns                | [step, rank]          | StepTiming             |
/// | /steps/phase_ns                        | [step, rank, phase]   | StepTiming             |
/// | /steps/clock_offset_ns, clock_error_ns | [rank]                | ClockOffset            |
/// | /counters                              | [step, rank, counter] | StepCounters           |
/// | /trace/*                               | [action]              | rank, ActionTiming     |
/// | /memory/planned_bytes, measured_bytes  | [rank, category]      | MemoryPeak             |
/// | /verification/*                        | [check]               | rank, Verification     |
/// | /gemm_kernels/*                        | [use]                 | rank, KernelUse        |
///
/// The names along an axis (kind, phase, counter, category; kind and lane of /trace) stand in an
/// attribute of that name on the dataset.
///
/// Throws AgreedError on every rank (exit code of IoError) when a journal cannot be read, is
/// incomplete, belongs to another rank or run, or when the ranks differ in their steps or memory
/// categories, or the folder cannot be written. An error while HDF5 writes is not caught: it ends
/// the job.
void merge_journals(parallel::Communicator& comm, const std::filesystem::path& folder,
                    const RecordHeader& header);

/// A value and the rank that noted it.
template <class T>
struct OfRank {
  int rank = 0;
  T value;
  bool operator==(const OfRank&) const = default;
};

/// A whole record in memory.
struct Record {
  std::string schema_version, rules_version;
  RecordHeader header;
  std::map<std::string, std::string> texts;  ///< by place: "config", "provenance/compiler", ...
  std::vector<PlanValue> plan_values;
  int ranks = 0;
  std::vector<StepScalars> steps;                   // [step]
  std::vector<std::vector<StepTiming>> timing;      // [rank][step]
  std::vector<std::vector<StepCounters>> counters;  // [rank][step]
  std::vector<ClockOffset> clocks;                  // [rank]
  std::vector<std::vector<MemoryPeak>> memory;      // [rank][category]
  std::vector<OfRank<ActionTiming>> actions;
  std::vector<OfRank<Verification>> verification;
  std::vector<OfRank<KernelUse>> kernels;
};

/// Reads a record, serially. Throws IoError: no record (with a hint when the folder holds the
/// journals of an unfinished run), another schema version, other phases, kinds or counters than
/// this version's, a file that is cut, damaged or was changed after the run.
Record read_record(const std::filesystem::path& folder);

}  // namespace vlmark::io
