#include "src/sim/cost.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "src/model/micro_batch.hpp"
#include "src/plan/ledger.hpp"

namespace vlmark::sim {
namespace {

/// The model with each unit in a segment of its own.
plan::Shard unit_by_unit(const plan::ModelConfig& model, int tensor_ranks) {
  const plan::Units units(model);
  plan::Shard shard{{{}}, 0, tensor_ranks};
  for (int u = 0; u < units.count(); ++u) shard.chunks[0].push_back({u, u + 1});
  return shard;
}

}  // namespace

double seconds(const Machine& machine, const model::OpRecord& op, DType type) {
  const bool attention = std::strncmp(op.name, "attention", std::strlen("attention")) == 0;
  const double rate = attention ? machine.rates.attention(type) : machine.rates.gemm(type);
  return std::max(static_cast<double>(op.flops) / rate,
                  static_cast<double>(op.bytes) / machine.rates.memory) +
         machine.rates.launch;
}

double memory_seconds(const Machine& machine, double bytes, int kernels) {
  return bytes / machine.rates.memory + kernels * machine.rates.launch;
}

Peers peers(const Machine& machine, int first, int stride, int size, int index) {
  // Of index i with first + i * stride in [low, high): the node of the one that looks.
  const long per = machine.ranks_per_node, mine = first + long{index} * stride,
             low = mine / per * per, high = low + per;
  const auto at_or_above = [&](long rank) {
    return std::clamp<long>((rank - first + stride - 1) / stride, 0, size);
  };
  const long begin = low <= first ? 0 : at_or_above(low);
  const int here = static_cast<int>(at_or_above(high) - begin);
  return {here - 1, size - here};
}

double direct_seconds(const Machine& machine, const Peers& peers, double messages, double bytes) {
  if (peers.count() == 0) return 0;
  const double near = static_cast<double>(peers.node) / peers.count(), far = 1 - near;
  return machine.node.seconds(near * messages, near * bytes) +
         machine.network.seconds(far * messages, far * bytes);
}

double collective_seconds(const Machine& machine, const Peers& peers, double bytes) {
  if (peers.count() == 0) return 0;
  const double n = peers.count() + 1;
  return peers.slowest(machine).seconds(std::ceil(std::log2(n)), bytes * (n - 1) / n);
}

double broadcast_seconds(const Machine& machine, const Peers& peers, double bytes) {
  if (peers.count() == 0) return 0;
  const double rounds = std::ceil(std::log2(peers.count() + 1));
  return peers.slowest(machine).seconds(rounds, rounds * bytes);
}

UnitTimes unit_times(const Machine& machine, const plan::ModelConfig& config,
                     const model::TrainingSettings& settings, const plan::MicroBatchShape& shape,
                     int first_rank) {
  const int ranks = settings.layout.tensor;
  const model::Qwen2VL model(config, unit_by_unit(config, ranks));
  const Peers group = peers(machine, first_rank, 1, ranks, 0);
  plan::Arena arena;
  model::RecordingOps ops(model.table(), arena, settings.ops(0));
  const model::MicroBatch batch = model::blank(shape, config);
  std::size_t calls = 0, messages = 0;
  const auto since = [&] {
    PassTime time;
    for (; messages < ops.communication().size(); ++messages) {
      const model::CommunicationRecord& c = ops.communication()[messages];
      // Every message is sent once and received once; both ways at the same time.
      time.tensor += direct_seconds(machine, group, static_cast<double>(c.messages) / 2,
                                    static_cast<double>(std::max(c.sent_bytes, c.received_bytes)));
    }
    time.seconds = time.tensor;
    for (; calls < ops.records().size(); ++calls)
      time.seconds += seconds(machine, ops.records()[calls], settings.type);
    return time;
  };
  UnitTimes times;
  const int units = model.units().count();
  model::Pass pass;
  for (int u = 0; u < units; ++u) {
    model.forward(ops, {u, u + 1}, batch, 1, settings.recompute, pass);
    times.forward.push_back(since());
  }
  times.backward.resize(static_cast<std::size_t>(units));
  const bool back = plan::needs_backward(shape, settings.trainable);
  for (int u = units; back && u-- > 0;) {
    model.backward(ops, {u, u + 1}, batch, pass);
    times.backward[static_cast<std::size_t>(u)] = since();
  }
  times.stream_bytes = 4.0 * static_cast<double>(ops.local_rows(shape.tokens())) * config.hidden;
  times.gradient_bytes = back ? times.stream_bytes : 0;
  times.lengths_bytes = static_cast<double>(plan::lengths_bytes(shape));
  times.copy = memory_seconds(machine, 2 * times.stream_bytes);
  return times;
}

}  // namespace vlmark::sim
