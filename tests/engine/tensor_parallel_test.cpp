// A tensor group computes what one rank computes: every part of the model, forward and backward.

#include <gtest/gtest.h>

#include <cmath>

#include "parallel/self_communicator.hpp"
#include "tests/engine/shard_run.hpp"
#include "tests/engine/small_model.hpp"
#include "tests/support/mpi_world.hpp"

namespace vlmark::test {
namespace {

/// Heads of 8, two for each rank at least; MLP and vocabulary no number of ranks but one divides.
plan::ModelConfig shared_model(int kv_heads, bool tied) {
  const int heads = world().size() == 3 ? 6 : world().size() == 8 ? 16 : 8;
  plan::ModelConfig m = small_model();
  m.name = "shared";
  m.hidden = 8 * heads;
  m.layers = 2;
  m.heads = heads;
  m.kv_heads = kv_heads;
  m.intermediate = 101;
  m.vocab = 163;
  m.tied = tied;
  m.mrope_section = {1, 1, 2};
  m.vision.embed_dim = 8 * heads;
  m.vision.heads = heads;
  m.vision.mlp_ratio = 1;
  m.vision.patch_size = 2;
  return m;
}

/// One key/value head for all ranks, one for each, two where that shares them in pairs.
std::vector<int> kv_heads_for(int ranks) {
  std::vector<int> counts{1};
  if (ranks > 1) counts.push_back(ranks);
  if (ranks > 2 && ranks % 2 == 0) counts.push_back(2);
  return counts;
}

/// The six kinds, without the one that has no gradient, and the smallest there is: fewer tokens,
/// merged tokens and supervised rows than ranks.
std::vector<model::MicroBatch> batches_of(const plan::ModelConfig& m) {
  std::vector<model::MicroBatch> batches = six_micro_batches(m);
  batches.pop_back();
  batches.push_back(model::pack(std::vector{sequence(m, 1, {}, 1, true, 9)}, m));
  batches.push_back(
      model::pack(std::vector{sequence(m, 0, {medium(m, {1, 2, 2}, false, 24)}, 2, true, 10)}, m));
  return batches;
}

double norm(std::span<const double> x) {
  double sum = 0;
  for (const double value : x) sum += value * value;
  return std::sqrt(sum);
}

/// |actual - expected| / max(|expected|, floor) in the Euclidean norm.
double distance(std::span<const double> actual, std::span<const double> expected, double floor) {
  std::vector<double> difference(actual.begin(), actual.end());
  for (std::size_t i = 0; i < difference.size(); ++i) difference[i] -= expected[i];
  return norm(difference) / std::max({norm(expected), floor, 1e-30});
}

/// Size of what a gradient is summed from. Softmax does not see a shift of its row, so the gradients
/// of queries and keys are differences: with few tokens, or for a key's bias, they cancel. Those of
/// values do not and are as large as what cancels.
double size_of_summands(const ShardResult& run, std::string name) {
  for (const char* differs : {"q_proj", "k_proj"})
    if (const auto at = name.find(differs); at != std::string::npos) name[at] = 'v';
  return norm(run.gradients.at(name));
}

void expect_close(const ShardResult& together, const ShardResult& alone, double tolerance) {
  EXPECT_NEAR(together.loss_sum, alone.loss_sum, tolerance * std::abs(alone.loss_sum));
  ASSERT_EQ(together.outputs.size(), alone.outputs.size());
  for (const auto& [name, whole] : alone.outputs) {
    const HeldRows& held = together.outputs.at(name);
    ASSERT_EQ(held.columns, whole.columns);
    const auto first = static_cast<std::size_t>(held.begin * held.columns);
    const std::vector<double> actual(held.values.begin(), held.values.end());
    std::vector<double> expected(whole.values.begin(), whole.values.end());
    ASSERT_LE(first + actual.size(), expected.size());
    const double size = norm(expected);
    EXPECT_GT(size, 0) << name;
    expected = {expected.begin() + static_cast<long>(first),
                expected.begin() + static_cast<long>(first + actual.size())};
    const double off = distance(actual, expected, 0.01 * size);
    EXPECT_LE(off, tolerance) << name;  // a NaN is no less than anything
    EXPECT_FALSE(std::isnan(off)) << name;
  }
  double largest = 0;
  for (const auto& [name, gradient] : alone.gradients) largest = std::max(largest, norm(gradient));
  for (const auto& [name, gradient] : alone.gradients) {
    const auto& actual = together.gradients.at(name);
    ASSERT_EQ(actual.size(), gradient.size()) << name;
    const double off =
        distance(actual, gradient, std::max(1e-3 * largest, size_of_summands(alone, name)));
    EXPECT_LE(off, tolerance) << name;
    EXPECT_FALSE(std::isnan(off)) << name;
  }
}

/// Bytes, messages and memory are what was recorded without memory and other ranks.
void expect_as_planned(const ShardResult& run) {
  std::uint64_t bytes = 0, messages = 0;
  for (const auto& record : run.communication)
    bytes += record.sent_bytes, messages += record.messages;
  EXPECT_EQ(run.sent_bytes, bytes);
  EXPECT_EQ(run.messages, messages);
  EXPECT_EQ(run.used_bytes, run.planned_bytes);
  EXPECT_EQ(run.counted, run.recorded);
}

struct ModelPart {
  const char* name;
  int begin, end;  // units, from the front; from the back below 0
  int products;    // in a chain through it and back
};
void PrintTo(const ModelPart& part, std::ostream* os) { *os << part.name; }

plan::UnitRange units_of(const ModelPart& part, const plan::ModelConfig& config) {
  const int count = plan::Units(config).count();
  return {part.begin < 0 ? count + part.begin : part.begin,
          part.end <= 0 ? count + part.end : part.end};
}

/// All ranks together did the work of the ledger, and nothing besides that it does not name.
void expect_ledger(const ShardResult& run, const plan::ModelConfig& config,
                   const model::MicroBatch& batch, const plan::Trainable& trainable,
                   const plan::Recompute& recompute) {
  std::vector<std::int64_t> sums;
  for (const auto& flops : {run.counted.gemm, run.counted.attention})
    sums.insert(sums.end(), flops, flops + kParts);
  world().all_reduce(parallel::buffer(sums), parallel::Reduce::sum).wait();
  plan::Flops together;
  std::copy_n(sums.begin(), kParts, together.gemm);
  std::copy_n(sums.begin() + kParts, kParts, together.attention);
  plan::Flops expected = plan::training_flops(config, batch.shape, trainable);
  expected += plan::extra_flops(config, batch.shape, trainable, recompute, world().size());
  EXPECT_EQ(together, expected);
}

const std::vector<int> every_batch{0, 1, 2, 3, 4, 5, 6};

/// Runs `part` alone and together.
void check(const ModelPart& part, const plan::ModelConfig& config, const ShardSettings& settings,
           const std::vector<int>& numbers = every_batch) {
  const plan::UnitRange units = units_of(part, config);
  const plan::Units all(config);
  const std::vector<model::MicroBatch> batches = batches_of(config);
  for (const int number : numbers) {
    const model::MicroBatch& batch = batches.at(static_cast<std::size_t>(number));
    if (units.end <= all.embedding() && batch.shape.media.empty()) continue;
    SCOPED_TRACE(std::string(part.name) + ", batch " + std::to_string(number) + ", " +
                 std::to_string(config.kv_heads) + " kv heads" + (config.tied ? ", tied" : "") +
                 (settings.type == DType::f32 ? ", fp32" : ", bf16"));
    const auto self = parallel::self_communicator();
    const ShardResult alone = run_shard(config, units, batch, settings, *self),
                      together = run_shard(config, units, batch, settings, world());
    EXPECT_EQ(alone.sent_bytes, 0u);
    expect_as_planned(alone);
    expect_as_planned(together);
    expect_close(together, alone, order_bound(settings.type, 3L * config.hidden, part.products));
    if (units == all.all())
      expect_ledger(together, config, batch, settings.trainable, settings.recompute);
  }
}

class TensorParallelPart : public testing::TestWithParam<ModelPart> {};
INSTANTIATE_TEST_SUITE_P(Parts, TensorParallelPart,
                         testing::Values(ModelPart{"vit_block", 0, 2, 8},
                                         ModelPart{"merger", 3, 4, 4},
                                         ModelPart{"embedding", 4, 5, 2},
                                         ModelPart{"decoder_layer", 5, 6, 8},
                                         ModelPart{"head", -1, 0, 3}));

TEST_P(TensorParallelPart, IsOneRanks) {
  for (const DType type : {DType::f32, DType::bf16})
    check(GetParam(), shared_model(1, false), {.type = type});
}

constexpr ModelPart whole_model{"whole_model", 0, 0, 40};

TEST(TensorParallelModel, Fp32IsOneRanks) {
  for (const int kv_heads : kv_heads_for(world().size()))
    check(whole_model, shared_model(kv_heads, true), {});
  check(whole_model, shared_model(1, false), {});
}
TEST(TensorParallelModel, Bf16IsOneRanks) {
  check(whole_model, shared_model(1, true), {.type = DType::bf16});
}
TEST(TensorParallelModel, RecomputedIsOneRanks) {
  check(whole_model, shared_model(1, true), {.recompute = {true, true}}, {4});
}
TEST(TensorParallelModel, ThroughStagedMemoryIsOneRanks) {
  check(whole_model, shared_model(1, true), {.staged = true}, {4, 6});
}
TEST(TensorParallelModel, WithFrozenGroupsIsOneRanks) {
  for (const auto& [stage, merger] :
       std::vector<std::pair<int, bool>>{{1, false}, {3, true}, {3, false}})
    check(whole_model, shared_model(1, true), {.trainable = plan::Trainable::stage(stage, merger)},
          {0, 2});
}

/// The same bits on every run, whatever order messages come in.
TEST(TensorParallelBits, DoNotDependOnTheRun) {
  const plan::ModelConfig config = shared_model(1, true);
  const model::MicroBatch batch = batches_of(config)[4];
  const plan::UnitRange all = plan::Units(config).all();
  const ShardResult first = run_shard(config, all, batch, {}, world());
  for (int i = 0; i < 2; ++i) {
    const ShardResult again = run_shard(config, all, batch, {}, world());
    EXPECT_EQ(again.loss_sum, first.loss_sum);
    EXPECT_EQ(again.gradients, first.gradients);
  }
}

}  // namespace
}  // namespace vlmark::test
