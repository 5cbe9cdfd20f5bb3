// Messages of a tensor group, noted by the rules of parallel/communicator.hpp.

#include "src/model/recording_ops.hpp"

namespace vlmark::model {
namespace {

/// Transport operations of one message: pieces of at most 2^30 byte. Nothing to send: no message.
std::uint64_t pieces(long elements, std::size_t size) {
  const long most = (1L << 30) / static_cast<long>(size);
  return static_cast<std::uint64_t>((elements + most - 1) / most);
}

}  // namespace

void RecordingOps::messages(const char* name, std::span<const long> sent,
                            std::span<const long> received, std::size_t size) {
  CommunicationRecord record{name, CountedPart::current(), 0, 0, 0};
  for (int r = 0; r < settings().tensor_ranks; ++r) {
    if (r == settings().tensor_rank) continue;
    const auto at = static_cast<std::size_t>(r);
    record.sent_bytes += static_cast<std::uint64_t>(sent[at]) * size;
    record.received_bytes += static_cast<std::uint64_t>(received[at]) * size;
    record.messages += pieces(sent[at], size) + pieces(received[at], size);
  }
  communication_.push_back(record);
}

void RecordingOps::run_gather(const char* name, const Tensor& x, const TokenBlocks& blocks,
                              Tensor&) {
  std::vector<long> sent, received;
  for (int r = 0; r < blocks.ranks; ++r) {
    sent.push_back(blocks.local_rows() * x.columns());
    received.push_back(blocks.of(r).size() * x.columns());
  }
  messages(name, sent, received, size_of(x.type()));
}

void RecordingOps::run_exchange(const char* name, const Tensor& parts, const TokenBlocks& blocks,
                                Tensor&) {
  std::vector<long> sent, received;
  for (int r = 0; r < blocks.ranks; ++r) {
    sent.push_back(blocks.of(r).size() * parts.columns());
    received.push_back(blocks.local_rows() * parts.columns());
  }
  messages(name, sent, received, size_of(parts.type()));
}

void RecordingOps::run_add_blocks(const Tensor& blocks, Tensor& stream) {
  bandwidth("add_blocks", {&blocks, &stream, &stream});
}
void RecordingOps::run_sum_blocks(Tensor& blocks, Tensor& y) {
  bandwidth("sum_blocks", {&blocks, &y});
}

double RecordingOps::run_sliced_cross_entropy(const Tensor& h, const plan::Linear& layer,
                                              const Indices&, float, Tensor* dh, Tensor&,
                                              Tensor& logits_tile, Tensor& maxima, Tensor&) {
  head(h, layer, dh != nullptr);
  for (long begin = 0; begin < h.rows(); begin += logits_tile.rows()) {
    const long rows = std::min(logits_tile.rows(), h.rows() - begin);
    const std::vector<long> largest(static_cast<std::size_t>(maxima.rows()), rows),
        sums(largest.size(), 2 * rows);
    messages("linear_cross_entropy_maxima", largest, largest, sizeof(float));
    messages("linear_cross_entropy_sums", sums, sums, sizeof(float));
  }
  return 0;
}

}  // namespace vlmark::model
