#include "src/io/journal_records.hpp"

#include <algorithm>
#include <bit>

#include "src/base/error.hpp"
#include "src/io/byte_stream.hpp"

namespace vlmark::io {

static_assert(std::endian::native == std::endian::little, "journals are little-endian");
static_assert(sizeof(StepTiming) == 8 * (3 + kPhases));
static_assert(sizeof(StepScalars) == 8 * (4 + kTokenKinds));
static_assert(sizeof(StepCounters) == 8 * (1 + kStepCounters));
static_assert(sizeof(ActionTiming) == 40);
static_assert(sizeof(ClockOffset) == 16);
static_assert(sizeof(JournalBegin) == 16);

namespace {

template <class Pod>
void append_pod(JournalWriter& journal, RecordType type, const Pod& record) {
  journal.append(static_cast<std::uint32_t>(type), std::as_bytes(std::span(&record, 1)));
}

template <class... Fields>
void append_fields(JournalWriter& journal, RecordType type, const Fields&... fields) {
  ByteWriter bytes;
  (bytes.put(fields), ...);
  journal.append(static_cast<std::uint32_t>(type), bytes.bytes());
}

bool has_a_place(std::string_view key) {
  const bool known = key == "config" || key == "topology" || key == "provenance" ||
                     key.starts_with("provenance/") || key.starts_with("topology/") ||
                     (key.starts_with("plan/") && !key.starts_with("plan/values"));
  return known && !key.ends_with('/') && key.find("//") == key.npos &&
         std::all_of(key.begin(), key.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '-' || c == '/';
         });
}

}  // namespace

const char* name_of(Phase phase) {
  switch (phase) {
    case Phase::load:
      return "load";
    case Phase::wait_data:
      return "wait_data";
    case Phase::vit:
      return "vit";
    case Phase::merger:
      return "merger";
    case Phase::decoder:
      return "decoder";
    case Phase::head:
      return "head";
    case Phase::exposed_data:
      return "exposed_data";
    case Phase::exposed_tensor:
      return "exposed_tensor";
    case Phase::exposed_pipeline:
      return "exposed_pipeline";
    case Phase::optimizer:
      return "optimizer";
  }
  return "?";
}

const char* name_of(TokenKind kind) {
  switch (kind) {
    case TokenKind::text:
      return "text";
    case TokenKind::vision:
      return "vision";
    case TokenKind::supervised:
      return "supervised";
    case TokenKind::patches:
      return "patches";
    case TokenKind::pictures:
      return "pictures";
    case TokenKind::documents:
      return "documents";
  }
  return "?";
}

std::string counter_name(int counter) {
  const auto part = [](int index) { return std::string(name_of(static_cast<Part>(index))); };
  if (counter < kParts) return "gemm_flops." + part(counter);
  if (counter < 2 * kParts) return "attention_flops." + part(counter - kParts);
  return counter == 2 * kParts ? "sent_bytes" : "messages";
}

std::uint64_t& counter_value(StepCounters& counters, int counter) {
  if (counter < kParts) return counters.gemm_flops[counter];
  if (counter < 2 * kParts) return counters.attention_flops[counter - kParts];
  return counter == 2 * kParts ? counters.sent_bytes : counters.messages;
}
std::uint64_t counter_value(const StepCounters& counters, int counter) {
  StepCounters copy = counters;
  return counter_value(copy, counter);
}

void append(JournalWriter& journal, const StepTiming& record) {
  append_pod(journal, RecordType::step_timing, record);
}
void append(JournalWriter& journal, const StepScalars& record) {
  append_pod(journal, RecordType::step_scalars, record);
}
void append(JournalWriter& journal, const StepCounters& record) {
  append_pod(journal, RecordType::step_counters, record);
}
void append(JournalWriter& journal, const ActionTiming& record) {
  append_pod(journal, RecordType::action, record);
}
void append(JournalWriter& journal, const ClockOffset& record) {
  append_pod(journal, RecordType::clock_offset, record);
}
void append(JournalWriter& journal, const MemoryPeak& record) {
  append_fields(journal, RecordType::memory, record.category, record.planned_bytes,
                record.measured_bytes);
}
void append(JournalWriter& journal, const Verification& record) {
  append_fields(journal, RecordType::verification, record.rule, record.item, record.value,
                record.limit, std::uint8_t{record.passed});
}
void append(JournalWriter& journal, const Text& record) {
  if (!has_a_place(record.key))
    throw ValueError("journal: the text '" + record.key +
                     "' has no place in the record (expected config, topology, provenance/..., "
                     "topology/... or plan/... of letters, digits, _ and -)");
  append_fields(journal, RecordType::text, record.key, record.value);
}
void append(JournalWriter& journal, const KernelUse& record) {
  append_fields(journal, RecordType::kernel, record.shape, record.kernel, record.count);
}
void append(JournalWriter& journal, const PlanValue& record) {
  append_fields(journal, RecordType::plan_value, record.name, record.value);
}

StepCounters step_counters(std::int64_t step, const Counts& before, const Counts& now) {
  StepCounters work;
  work.step = step;
  for (int part = 0; part < kParts; ++part) {
    work.gemm_flops[part] = now.gemm_flops[part] - before.gemm_flops[part];
    work.attention_flops[part] = now.attention_flops[part] - before.attention_flops[part];
  }
  work.sent_bytes = now.sent_bytes - before.sent_bytes;
  work.messages = now.messages - before.messages;
  return work;
}

void append_kernels(JournalWriter& journal, const Counters& counters) {
  for (const auto& [shape, kernels] : counters.kernels)
    for (const auto& [kernel, count] : kernels) append(journal, KernelUse{shape, kernel, count});
}

}  // namespace vlmark::io
