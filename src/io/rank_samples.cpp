#include "src/io/rank_samples.hpp"

#include "src/base/error.hpp"
#include "src/io/byte_stream.hpp"

namespace vlmark::io {
namespace {

template <class Pod>
void read_pod(ByteReader& bytes, std::vector<Pod>& records) {
  bytes.get(records.emplace_back());
}

void read_begin(ByteReader& bytes, RankSamples& samples) {
  JournalBegin begin;
  bytes.get(begin);
  if (begin.version != kJournalVersion)
    throw IoError(samples.path.string() + ": is a journal of version " +
                  std::to_string(begin.version) + " (expected " + std::to_string(kJournalVersion) +
                  "). Use the version of vlmark that wrote it");
  samples.rank = begin.rank;
  samples.ranks = begin.ranks;
}

void read_record(RecordType type, ByteReader& bytes, const std::string& where,
                 RankSamples& samples) {
  switch (type) {
    case RecordType::begin:
      return read_begin(bytes, samples);
    case RecordType::step_timing:
      return read_pod(bytes, samples.timing);
    case RecordType::step_scalars:
      return read_pod(bytes, samples.scalars);
    case RecordType::step_counters:
      return read_pod(bytes, samples.counters);
    case RecordType::action:
      return read_pod(bytes, samples.actions);
    case RecordType::clock_offset:
      return bytes.get(samples.clock);
    case RecordType::memory: {
      auto& record = samples.memory.emplace_back();
      bytes.get(record.category);
      bytes.get(record.planned_bytes);
      return bytes.get(record.measured_bytes);
    }
    case RecordType::verification: {
      auto& record = samples.verification.emplace_back();
      bytes.get(record.rule);
      bytes.get(record.item);
      bytes.get(record.value);
      bytes.get(record.limit);
      std::uint8_t passed = 0;
      bytes.get(passed);
      record.passed = passed != 0;
      return;
    }
    case RecordType::text: {
      auto& record = samples.texts.emplace_back();
      bytes.get(record.key);
      return bytes.get(record.value);
    }
    case RecordType::kernel: {
      auto& record = samples.kernels.emplace_back();
      bytes.get(record.shape);
      bytes.get(record.kernel);
      return bytes.get(record.count);
    }
    case RecordType::plan_value: {
      auto& record = samples.plan_values.emplace_back();
      bytes.get(record.name);
      return bytes.get(record.value);
    }
    case RecordType::end:
      return;
  }
  throw IoError(where + ": its type is " + std::to_string(static_cast<std::uint32_t>(type)) +
                " (unknown: the journal was written by another version). Use the version of vlmark "
                "that wrote it");
}

}  // namespace

RankSamples read_rank_samples(const std::filesystem::path& journal) {
  JournalReader reader(journal);
  RankSamples samples;
  samples.path = journal;
  bool begun = false, ended = false;
  while (const auto record = reader.next()) {
    const std::string where =
        journal.string() + ": record at byte " + std::to_string(record->offset);
    const auto type = static_cast<RecordType>(record->type);
    if (begun == (type == RecordType::begin) || ended)
      throw IoError(where + ": " +
                    (ended   ? "follows the closing record"
                     : begun ? "is a second opening record"
                             : "is no opening record") +
                    " (this is no journal, or a damaged one). Run again, or restore the file");
    begun = true;
    ended = type == RecordType::end;
    ByteReader bytes(record->payload, where);
    read_record(type, bytes, where, samples);
    if (!bytes.at_end())
      throw IoError(where +
                    ": is longer than its type (the journal was written by another "
                    "version). Use the version of vlmark that wrote it");
  }
  if (const auto cut = reader.incomplete_at())
    samples.incomplete = "cut within the record at byte " + std::to_string(*cut);
  else if (!ended)
    samples.incomplete = "it has no closing record";
  return samples;
}

}  // namespace vlmark::io
