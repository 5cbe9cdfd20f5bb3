#include <map>

#include "parallel/agree.hpp"
#include "parallel/gather.hpp"
#include "parallel/scalars.hpp"
#include "src/base/error.hpp"
#include "src/io/byte_stream.hpp"
#include "src/io/hdf5_writer.hpp"
#include "src/io/rank_samples.hpp"
#include "src/io/record.hpp"
#include "src/io/record_seal.hpp"
#include "src/io/record_tables.hpp"
#include "src/io/results_folder.hpp"

namespace vlmark::io {
namespace {

namespace fs = std::filesystem;
using parallel::Communicator;

RankSamples own_samples(const Communicator& comm, const fs::path& folder) {
  RankSamples samples = read_rank_samples(journal_path(folder, comm.rank()));
  const std::string where = samples.path.string();
  if (!samples.incomplete.empty())
    throw IoError(where + ": the journal is incomplete (" + samples.incomplete +
                  "; no record is made of a run that did not end)");
  if (samples.rank != comm.rank() || samples.ranks != comm.size())
    throw IoError(where + ": was written by rank " + std::to_string(samples.rank) + " of " +
                  std::to_string(samples.ranks) + " (expected rank " + std::to_string(comm.rank()) +
                  " of " + std::to_string(comm.size()) +
                  "; journals of two runs are mixed). Write each run into a folder of its own");
  return samples;
}

template <class Records>
void require_steps(const RankSamples& samples, const char* what, const Records& records,
                   const std::vector<std::int64_t>& steps) {
  const std::string where = samples.path.string() + ": " + what;
  if (records.size() != steps.size())
    throw IoError(where + " of " + std::to_string(records.size()) +
                  " steps (expected those of rank 0: " + std::to_string(steps.size()) +
                  "; the ranks disagree). Please report it with the journals");
  for (std::size_t i = 0; i < steps.size(); ++i)
    if (records[i].step != steps[i])
      throw IoError(where + ": entry " + std::to_string(i) + " is of step " +
                    std::to_string(records[i].step) + " (expected " + std::to_string(steps[i]) +
                    "; the ranks disagree). Please report it with the journals");
}

/// Numbers of the steps, of rank 0, after every rank has shown that it has the same ones.
std::vector<std::int64_t> agree_on_steps(Communicator& comm, const RankSamples& samples) {
  std::vector<std::int64_t> steps;
  for (const StepTiming& timing : samples.timing) steps.push_back(timing.step);
  steps.resize(static_cast<std::size_t>(
      parallel::broadcast_value(comm, static_cast<std::int64_t>(steps.size()))));
  comm.broadcast(parallel::buffer(steps), 0).wait();
  parallel::agree(comm, "compare the steps of all ranks", [&] {
    require_steps(samples, "timing", samples.timing, steps);
    require_steps(samples, "counters", samples.counters, steps);
    if (comm.rank() == 0) require_steps(samples, "scalars", samples.scalars, steps);
  });
  return steps;
}

std::vector<std::string> agree_on_categories(Communicator& comm, const RankSamples& samples) {
  std::string mine;
  for (const MemoryPeak& peak : samples.memory) mine += peak.category + "\n";
  const std::string common = parallel::broadcast_string(comm, mine);
  parallel::agree(comm, "compare the memory of all ranks", [&] {
    if (mine != common)
      throw IoError(samples.path.string() + ": the memory categories are\n" + mine +
                    "(expected those of rank 0:\n" + common +
                    "). Run the same program on every rank");
  });
  std::vector<std::string> categories;
  for (std::size_t begin = 0; begin < common.size();) {
    const std::size_t end = common.find('\n', begin);
    categories.push_back(common.substr(begin, end - begin));
    begin = end + 1;
  }
  return categories;
}

/// Rank 0's texts on every rank, because all create the datasets.
std::map<std::string, std::string> broadcast_texts(Communicator& comm, const RankSamples& samples) {
  ByteWriter joined;
  for (const Text& text : samples.texts) joined.put(text.key), joined.put(text.value);
  const auto bytes = joined.bytes();
  const std::string common =
      parallel::broadcast_string(comm, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  ByteReader reader(std::as_bytes(std::span(common)), "texts of rank 0");
  std::map<std::string, std::string> texts;
  while (!reader.at_end()) {
    Text text;
    reader.get(text.key);
    reader.get(text.value);
    texts[text.key] = text.value;
  }
  return texts;
}

/// Values of all ranks' records in the order of the block.
template <class Value, class Record, class Get>
std::vector<Value> collect(const std::vector<Record>& records, int width, Get get) {
  std::vector<Value> values;
  values.reserve(records.size() * static_cast<std::size_t>(width));
  for (const Record& record : records)
    for (int i = 0; i < width; ++i) values.push_back(get(record, i));
  return values;
}

std::vector<std::string> names(int count, auto name) {
  std::vector<std::string> all;
  for (int i = 0; i < count; ++i) all.emplace_back(name(i));
  return all;
}

void write_rank0_steps(Hdf5Writer& file, bool writes, const std::vector<std::int64_t>& steps,
                       const RankSamples& samples) {
  const hsize_t n = steps.size();
  const Block per_step{{n}, {0}, {writes ? n : 0}};
  const auto& scalars = samples.scalars;
  file.write("/steps/step", per_step, steps);
  using Scalars = const StepScalars&;
  file.write("/steps/loss", per_step,
             collect<double>(scalars, 1, [](Scalars s, int) { return s.loss; }));
  file.write("/steps/grad_norm", per_step,
             collect<double>(scalars, 1, [](Scalars s, int) { return s.grad_norm; }));
  file.write("/steps/learning_rate", per_step,
             collect<double>(scalars, 1, [](Scalars s, int) { return s.learning_rate; }));
  file.write("/steps/tokens", Block{{n, kTokenKinds}, {0, 0}, {writes ? n : 0, kTokenKinds}},
             collect<std::int64_t>(scalars, kTokenKinds,
                                   [](Scalars s, int kind) { return s.tokens[kind]; }));
  file.set_attribute("/steps/tokens", "kind", names(kTokenKinds, [](int kind) {
                       return name_of(static_cast<TokenKind>(kind));
                     }));
}

void write_rank_steps(Hdf5Writer& file, const Communicator& comm, std::size_t steps,
                      const RankSamples& samples) {
  const hsize_t n = steps;
  const auto ranks = static_cast<hsize_t>(comm.size()), rank = static_cast<hsize_t>(comm.rank());
  const auto wide = [&](hsize_t width) {
    return Block{{n, ranks, width}, {0, rank, 0}, {n, 1, width}};
  };
  const Block narrow{{n, ranks}, {0, rank}, {n, 1}};
  using Timing = const StepTiming&;
  using Counts = const StepCounters&;
  const auto timing = [&](int width, auto get) {
    return collect<std::int64_t>(samples.timing, width, get);
  };
  file.write("/steps/start_ns", narrow, timing(1, [](Timing t, int) { return t.start_ns; }));
  file.write("/steps/end_ns", narrow, timing(1, [](Timing t, int) { return t.end_ns; }));
  file.write("/steps/phase_ns", wide(kPhases),
             timing(kPhases, [](Timing t, int phase) { return t.phase_ns[phase]; }));
  file.set_attribute("/steps/phase_ns", "phase",
                     names(kPhases, [](int phase) { return name_of(static_cast<Phase>(phase)); }));
  file.write("/counters", wide(kStepCounters),
             collect<std::uint64_t>(samples.counters, kStepCounters, [](Counts c, int counter) {
               return counter_value(c, counter);
             }));
  file.set_attribute("/counters", "counter", names(kStepCounters, counter_name));
  const Block per_rank{{ranks}, {rank}, {1}};
  file.write("/steps/clock_offset_ns", per_rank, std::span(&samples.clock.offset_ns, 1));
  file.write("/steps/clock_error_ns", per_rank, std::span(&samples.clock.error_ns, 1));
}

void write_memory(Hdf5Writer& file, const Communicator& comm,
                  const std::vector<std::string>& categories, const RankSamples& samples) {
  const hsize_t width = categories.size();
  const Block block{{static_cast<hsize_t>(comm.size()), width},
                    {static_cast<hsize_t>(comm.rank()), 0},
                    {1, width}};
  using Peak = const MemoryPeak&;
  file.write("/memory/planned_bytes", block,
             collect<std::int64_t>(samples.memory, 1, [](Peak p, int) { return p.planned_bytes; }));
  file.write(
      "/memory/measured_bytes", block,
      collect<std::int64_t>(samples.memory, 1, [](Peak p, int) { return p.measured_bytes; }));
  for (const char* dataset : {"/memory/planned_bytes", "/memory/measured_bytes"})
    file.set_attribute(dataset, "category", categories);
}

void write_all_of(Hdf5Writer& file, Communicator& comm, const RecordHeader& header,
                  const RankSamples& samples, const std::vector<std::int64_t>& steps,
                  const std::vector<std::string>& categories) {
  file.set_attribute("/", "schema_version", kSchemaVersion);
  file.set_attribute("/", "rules_version", kRulesVersion);
  file.set_attribute("/", "kind", header.kind);
  file.set_attribute("/", "start_utc", header.start_utc);
  file.set_attribute("/", "end_utc", header.end_utc);
  for (const auto& [place, text] : broadcast_texts(comm, samples))
    file.write_text("/" + place, text);
  write_rank0_steps(file, comm.rank() == 0, steps, samples);
  write_rank_steps(file, comm, steps.size(), samples);
  write_memory(file, comm, categories, samples);
  write_tables(file, comm, samples);
  file.set_attribute("/trace/kind", "kind", header.action_kinds);
  file.set_attribute("/trace/lane", "lane", header.lanes);
}

}  // namespace

void merge_journals(Communicator& comm, const fs::path& folder, const RecordHeader& header) {
  const fs::path record = record_path(folder), temporary = record.string() + ".tmp";
  const auto samples =
      parallel::agree(comm, "read the journals", [&] { return own_samples(comm, folder); });
  const auto steps = agree_on_steps(comm, samples);
  const auto categories = agree_on_categories(comm, samples);
  parallel::agree(comm, "create the record", [&] {
    // Seen here it is everybody's error; inside a collective call it would be one rank's.
    if (comm.rank() == 0) write_text_file(temporary, "");
  });
  Hdf5Writer file(temporary, comm, kSealBytes);
  write_all_of(file, comm, header, samples, steps, categories);
  file.close();
  parallel::wait_for_all(comm);
  parallel::agree(comm, "name the record", [&] {
    if (comm.rank() != 0) return;
    seal_record(temporary);
    sync_to_device(temporary);
    std::error_code failure;
    fs::rename(temporary, record, failure);
    if (failure)
      throw IoError(record.string() + ": cannot be renamed from " + temporary.string() + " (" +
                    failure.message() + "). Check the folder, then merge the journals again");
    sync_to_device(folder);
  });
}

}  // namespace vlmark::io
