#include "src/base/error.hpp"
#include "src/io/hdf5_reader.hpp"
#include "src/io/record.hpp"
#include "src/io/record_seal.hpp"
#include "src/io/results_folder.hpp"

namespace vlmark::io {
namespace {

using Extents = std::vector<std::int64_t>;
using Integers = std::vector<std::int64_t>;

/// The axis of a dataset must name what this version's structs hold.
void require_axis(const Hdf5Reader& file, const std::string& dataset, const char* axis, int count,
                  auto name) {
  const auto stored = file.list_attribute(dataset, axis);
  std::string expected, actual;
  for (int i = 0; i < count; ++i) expected += " " + std::string(name(i));
  for (const auto& entry : stored) actual += " " + entry;
  if (actual != expected)
    throw IoError(
        dataset + ": its axis '" + axis + "' is" + actual + " (expected" + expected +
        "; the record was written by another version). Use the version of vlmark that wrote it");
}

/// Calls place(index of the element within its record, rank, step) for [step, rank, width].
void for_each_element(std::size_t steps, std::size_t ranks, std::size_t width, auto place) {
  std::size_t at = 0;
  for (std::size_t step = 0; step < steps; ++step)
    for (std::size_t rank = 0; rank < ranks; ++rank)
      for (std::size_t i = 0; i < width; ++i) place(at++, rank, step, i);
}

void read_steps(const Hdf5Reader& file, Record& record) {
  const auto per_step = file.extents("/steps/loss");
  if (per_step.size() != 1)
    throw IoError("/steps/loss has " + std::to_string(per_step.size()) +
                  " dimensions (expected 1: step). Restore the record, or run again");
  const std::int64_t n = per_step[0];
  const auto step = file.integers("/steps/step", per_step);
  const auto loss = file.doubles("/steps/loss", per_step);
  const auto grad_norm = file.doubles("/steps/grad_norm", per_step);
  const auto learning_rate = file.doubles("/steps/learning_rate", per_step);
  require_axis(file, "/steps/tokens", "kind", kTokenKinds,
               [](int kind) { return name_of(static_cast<TokenKind>(kind)); });
  const auto tokens = file.integers("/steps/tokens", {n, kTokenKinds});
  record.steps.resize(step.size());
  for (std::size_t i = 0; i < step.size(); ++i) {
    StepScalars& s = record.steps[i];
    s = {step[i], loss[i], grad_norm[i], learning_rate[i], {}};
    for (std::size_t kind = 0; kind < kTokenKinds; ++kind)
      s.tokens[kind] = tokens[i * kTokenKinds + kind];
  }
}

void read_timing(const Hdf5Reader& file, Record& record) {
  const auto steps = static_cast<std::int64_t>(record.steps.size());
  const std::int64_t ranks = record.ranks;
  const auto start = file.integers("/steps/start_ns", {steps, ranks});
  const auto end = file.integers("/steps/end_ns", {steps, ranks});
  require_axis(file, "/steps/phase_ns", "phase", kPhases,
               [](int phase) { return name_of(static_cast<Phase>(phase)); });
  const auto phases = file.integers("/steps/phase_ns", {steps, ranks, kPhases});
  const auto n = record.steps.size(), r = static_cast<std::size_t>(ranks);
  record.timing.assign(r, std::vector<StepTiming>(n));
  for_each_element(n, r, 1, [&](std::size_t at, std::size_t rank, std::size_t step, std::size_t) {
    record.timing[rank][step] = {record.steps[step].step, start[at], end[at], {}};
  });
  for_each_element(n, r, kPhases,
                   [&](std::size_t at, std::size_t rank, std::size_t step, std::size_t phase) {
                     record.timing[rank][step].phase_ns[phase] = phases[at];
                   });
}

void read_counters(const Hdf5Reader& file, Record& record) {
  const auto n = record.steps.size(), r = static_cast<std::size_t>(record.ranks);
  require_axis(file, "/counters", "counter", kStepCounters, counter_name);
  const auto values = file.unsigned_integers(
      "/counters", {static_cast<std::int64_t>(n), record.ranks, kStepCounters});
  record.counters.assign(r, std::vector<StepCounters>(n));
  for_each_element(n, r, kStepCounters,
                   [&](std::size_t at, std::size_t rank, std::size_t step, std::size_t counter) {
                     StepCounters& counters = record.counters[rank][step];
                     counters.step = record.steps[step].step;
                     counter_value(counters, static_cast<int>(counter)) = values[at];
                   });
}

void read_clocks_and_memory(const Hdf5Reader& file, Record& record) {
  const auto offset = file.integers("/steps/clock_offset_ns", {record.ranks});
  const auto error = file.integers("/steps/clock_error_ns", {record.ranks});
  const auto categories = file.list_attribute("/memory/planned_bytes", "category");
  const Extents per_category = {record.ranks, static_cast<std::int64_t>(categories.size())};
  const auto planned = file.integers("/memory/planned_bytes", per_category);
  const auto measured = file.integers("/memory/measured_bytes", per_category);
  std::size_t at = 0;
  for (std::size_t rank = 0; rank < offset.size(); ++rank) {
    record.clocks.push_back({offset[rank], error[rank]});
    auto& memory = record.memory.emplace_back();
    for (const auto& category : categories) {
      memory.push_back({category, planned[at], measured[at]});
      ++at;
    }
  }
}

/// Columns of a table by name.
struct TableReader {
  const Hdf5Reader& file;
  std::string group;
  Extents rows;
  TableReader(const Hdf5Reader& record, const std::string& place, const char* first)
      : file(record), group(place + "/"), rows(record.extents(group + first)) {}
  Integers integers(const char* name) const { return file.integers(group + name, rows); }
  std::vector<double> doubles(const char* name) const { return file.doubles(group + name, rows); }
  std::vector<std::string> strings(const char* name) const {
    return file.strings(group + name, rows);
  }
};

void read_trace(const Hdf5Reader& file, Record& record) {
  const TableReader table(file, "/trace", "rank");
  const auto rank = table.integers("rank"), step = table.integers("step");
  const auto kind = table.integers("kind"), lane = table.integers("lane");
  const auto micro_batch = table.integers("micro_batch"), chunk = table.integers("chunk");
  const auto start = table.integers("start_ns"), end = table.integers("end_ns");
  const auto small = [](std::int64_t value) { return static_cast<std::int32_t>(value); };
  for (std::size_t i = 0; i < rank.size(); ++i)
    record.actions.push_back({small(rank[i]),
                              {step[i], small(kind[i]), small(lane[i]), small(micro_batch[i]),
                               small(chunk[i]), start[i], end[i]}});
}

void read_tables(const Hdf5Reader& file, Record& record) {
  const TableReader checks(file, "/verification", "rank");
  const auto rank = checks.integers("rank"), passed = checks.integers("passed");
  const auto rule = checks.strings("rule"), item = checks.strings("item");
  const auto value = checks.doubles("value"), limit = checks.doubles("limit");
  for (std::size_t i = 0; i < rank.size(); ++i)
    record.verification.push_back(
        {static_cast<int>(rank[i]), {rule[i], item[i], value[i], limit[i], passed[i] != 0}});
  const TableReader uses(file, "/gemm_kernels", "rank");
  const auto user = uses.integers("rank"), count = uses.integers("count");
  const auto shape = uses.strings("shape"), kernel = uses.strings("kernel");
  for (std::size_t i = 0; i < user.size(); ++i)
    record.kernels.push_back(
        {static_cast<int>(user[i]), {shape[i], kernel[i], static_cast<std::uint64_t>(count[i])}});
  const TableReader plan(file, "/plan/values", "name");
  const auto name = plan.strings("name");
  const auto predicted = plan.doubles("value");
  for (std::size_t i = 0; i < name.size(); ++i)
    record.plan_values.push_back({name[i], predicted[i]});
}

}  // namespace

Record read_record(const std::filesystem::path& folder) {
  const auto path = record_path(folder);
  std::error_code failure;
  if (!std::filesystem::exists(path, failure))
    throw IoError(path.string() + ": does not exist" +
                  (std::filesystem::exists(journal_path(folder, 0), failure)
                       ? " (the run is incomplete: it left journals only)"
                       : ". Give the folder of a run's results"));
  require_seal(path);
  const Hdf5Reader file(path);
  Record record;
  record.schema_version = file.attribute("/", "schema_version");
  if (record.schema_version != kSchemaVersion)
    throw IoError(path.string() + ": schema version is " + record.schema_version + " (expected " +
                  kSchemaVersion + "). Use the version of vlmark that wrote it");
  record.rules_version = file.attribute("/", "rules_version");
  record.header = {file.attribute("/", "kind"), file.attribute("/", "start_utc"),
                   file.attribute("/", "end_utc"), file.list_attribute("/trace/kind", "kind"),
                   file.list_attribute("/trace/lane", "lane")};
  record.texts = file.texts();
  const auto per_rank = file.extents("/steps/start_ns");
  if (per_rank.size() != 2)
    throw IoError(path.string() + ": /steps/start_ns has " + std::to_string(per_rank.size()) +
                  " dimensions (expected 2: step and rank). Restore the record, or run again");
  // Through a dataset that is stored: without steps, those of [step, rank] hold nothing.
  record.ranks = static_cast<int>(file.integers("/steps/clock_offset_ns", {per_rank[1]}).size());
  read_steps(file, record);
  read_timing(file, record);
  read_counters(file, record);
  read_clocks_and_memory(file, record);
  read_trace(file, record);
  read_tables(file, record);
  return record;
}

}  // namespace vlmark::io
