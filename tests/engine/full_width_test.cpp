// One decoder layer and one ViT block at the width of the 72B model, shared by all ranks, against
// one rank. Their weights are too large for every rank to repeat the run: the first rank runs alone
// and keeps its gradients, to which the others send theirs piece by piece.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "parallel/self_communicator.hpp"
#include "tests/engine/shard_run.hpp"
#include "tests/engine/small_model.hpp"
#include "tests/support/mpi_world.hpp"

namespace vlmark::test {
namespace {

constexpr long piece = 1 << 20;
constexpr int first_rank = 0;

plan::ModelConfig one_layer_of_72b() {
  plan::ModelConfig m = plan::model_preset("72B");
  m.layers = 1;
  m.vision.depth = 1;
  return m;
}

/// Squares of differences and of what they are compared with, of one tensor.
struct Distance {
  double difference = 0, size = 0;

  double relative() const { return std::sqrt(difference / size); }
};

class Comparison {
 public:
  explicit Comparison(parallel::Communicator& comm) : comm_(comm) {}

  void keep(const plan::ParameterTable& table, const plan::FlatLayout& layout, const float* flat) {
    for (const plan::LogicalTensor& tensor : table.tensors) {
      const float* from = flat + layout.range(tensor).begin;
      whole_[tensor.name].assign(from, from + tensor.size());
    }
  }

  /// What this rank holds is compared on the first rank. Collective.
  void compare(const plan::ModelConfig& config, plan::UnitRange units,
               const plan::ParameterTable& table, const plan::FlatLayout& layout,
               const float* flat) {
    for (int r = 0; r < comm_.size(); ++r) {
      if (r != comm_.rank() && comm_.rank() != first_rank) continue;
      const plan::ParameterTable theirs(config, {{{units}}, r, comm_.size()});
      for (std::size_t i = 0; i < theirs.tensors.size(); ++i) {
        if (theirs.tensors[i].sharing == plan::Sharing::replicated) continue;
        const float* from = flat + layout.range(table.tensors[i]).begin;
        for (long first = 0; first < theirs.tensors[i].size(); first += piece)
          compare_piece(theirs.tensors[i], r, first, from + first);
      }
    }
    for (const plan::LogicalTensor& tensor : table.tensors) {
      if (tensor.sharing != plan::Sharing::replicated) continue;
      const float* from = flat + layout.range(tensor).begin;
      std::vector<double> sum(from, from + tensor.size());
      comm_.all_reduce(parallel::buffer(sum), parallel::Reduce::sum).wait();
      if (comm_.rank() == first_rank)
        for (long i = 0; i < tensor.size(); ++i)
          add(tensor.name, i, sum[static_cast<std::size_t>(i)]);
    }
  }

  const std::map<std::string, Distance>& distances() const { return distances_; }

 private:
  void compare_piece(const plan::LogicalTensor& tensor, int rank, long first, const float* held) {
    const long count = std::min(piece, tensor.size() - first);
    std::vector<float> received;
    if (rank != first_rank) {
      const auto n = static_cast<std::size_t>(count);
      if (comm_.rank() == rank) {
        comm_.send(parallel::buffer(held, n), first_rank, 0).wait();
        return;
      }
      received.resize(n);
      comm_.receive(parallel::buffer(received), rank, 0).wait();
      held = received.data();
    }
    tensor.for_each_run(first, count, [&](long there, long here, long n) {
      for (long i = 0; i < n; ++i) add(tensor.name, there + i, held[here - first + i]);
    });
  }
  void add(const std::string& name, long at, double value) {
    const double expected = whole_.at(name)[static_cast<std::size_t>(at)];
    Distance& distance = distances_[name];
    distance.difference += (value - expected) * (value - expected);
    distance.size += expected * expected;
  }

  parallel::Communicator& comm_;
  std::map<std::string, std::vector<float>> whole_;
  std::map<std::string, Distance> distances_;
};

/// Every rank gets what the first rank holds.
void broadcast(HeldRows& rows) {
  long size[] = {static_cast<long>(rows.values.size()), rows.columns};
  world().broadcast(parallel::buffer(size), first_rank).wait();
  rows.values.resize(static_cast<std::size_t>(size[0]));
  rows.columns = size[1];
  world().broadcast(parallel::buffer(rows.values), first_rank).wait();
}

void check(plan::UnitRange units, int products) {
  const plan::ModelConfig config = one_layer_of_72b();
  const model::MicroBatch batch = model::pack(
      std::vector{sequence(config, 2, {medium(config, {1, 4, 6}, false, 3)}, 3, true, 4)}, config);
  Comparison comparison(world());
  ShardResult alone;
  if (world().rank() == first_rank) {
    const auto self = parallel::self_communicator();
    alone = run_shard(config, units, batch, {}, *self,
                      [&](const auto&... gradients) { comparison.keep(gradients...); });
  }
  world().barrier().wait();
  const ShardResult together =
      run_shard(config, units, batch, {}, world(),
                [&](const auto&... gradients) { comparison.compare(config, units, gradients...); });
  const double tolerance = order_bound(DType::f32, config.intermediate, products);
  EXPECT_EQ(together.used_bytes, together.planned_bytes);
  for (const auto& [name, held] : together.outputs) {
    HeldRows& whole = alone.outputs[name];
    broadcast(whole);
    Distance distance;
    for (std::size_t i = 0; i < held.values.size(); ++i) {
      const double expected =
          whole.values.at(static_cast<std::size_t>(held.begin * held.columns) + i);
      distance.difference += std::pow(held.values[i] - expected, 2);
      distance.size += expected * expected;
    }
    if (held.values.empty()) continue;
    EXPECT_LE(distance.relative(), tolerance) << name;
    EXPECT_GT(distance.size, 0) << name;
  }
  EXPECT_FALSE(together.outputs.empty());
  if (world().rank() != first_rank) return;
  for (const auto& [name, distance] : comparison.distances()) {
    EXPECT_LE(distance.relative(), tolerance) << name;
    EXPECT_GT(distance.size, 0) << name;
  }
  EXPECT_GE(comparison.distances().size(), 9u);
}

TEST(FullWidth, DecoderLayerIsOneRanks) {
  const plan::Units units(one_layer_of_72b());
  check({units.layer(0), units.layer(0) + 1}, 8);
}

TEST(FullWidth, VitBlockIsOneRanks) { check({0, plan::Units(one_layer_of_72b()).merger()}, 8); }

}  // namespace
}  // namespace vlmark::test
