#include "tests/engine/shard_run.hpp"

#include <algorithm>
#include <cmath>

#include "src/base/counters.hpp"
#include "src/base/philox.hpp"
#include "src/engine/executing_ops.hpp"
#include "src/engine/flat_parameters.hpp"
#include "src/engine/staged_communicator.hpp"
#include "tests/support/random_data.hpp"

namespace vlmark::test {
namespace {

using model::Ops;
using model::Pass;
using model::Tensor;
using model::TokenBlocks;

/// Writes and reads what stands between units; does nothing where there is no memory.
struct Contents {
  std::function<void(Tensor&, const TokenBlocks&, std::uint64_t seed)> fill;
  std::function<void(const std::string& name, const Tensor&, const TokenBlocks&)> take;
};

/// What enters and leaves a run of units on either way.
class Ends {
 public:
  Ends(const model::Qwen2VL& model, Ops& ops, const model::MicroBatch& batch,
       const Contents& contents)
      : units_(model.units()),
        width_(model.config().vision.embed_dim),
        hidden_(model.config().hidden),
        ops_(ops),
        tokens_(ops.blocks(batch.shape.tokens())),
        merged_(ops.blocks(batch.shape.patches() / model.config().vision.merge_unit())),
        patches_{merged_.items, model.config().vision.merge_unit(), merged_.rank, merged_.ranks},
        contents_(contents) {}

  /// What `unit` reads on the way there, or the gradient it leaves on the way back.
  void fill_before(int unit, Pass& pass) const { at(unit, pass, 1, ""); }
  void take_before(int unit, Pass& pass) const { at(unit, pass, 0, "dx"); }
  void fill_behind(int unit, Pass& pass) const { at(unit + 1, pass, 2, ""); }
  void take_behind(int unit, Pass& pass) const { at(unit + 1, pass, 0, "y"); }

 private:
  void at(int unit, Pass& pass, std::uint64_t seed, const std::string& name) const {
    if (unit == units_.patch_embed() || unit > units_.head()) return;
    if (units_.is_vision(unit)) {
      if (merged_.items > 0) handle(pass.vision.stream, patches_, width_, DType::f32, seed, name);
    } else if (unit == units_.embedding()) {
      if (merged_.items > 0) handle(pass.features, merged_, hidden_, ops_.type(), seed, name);
    } else {
      handle(pass.stream, tokens_, hidden_, DType::f32, seed, name);
    }
  }
  void handle(Tensor& x, const TokenBlocks& blocks, long columns, DType type, std::uint64_t seed,
              const std::string& name) const {
    if (seed == 0) {
      if (!x.empty()) contents_.take(name, x, blocks);  // else it is frozen before here
      return;
    }
    x = {};
    x = ops_.make(blocks.local_rows(), columns, type);
    contents_.fill(x, blocks, seed);
  }

  const plan::Units& units_;
  long width_, hidden_;
  Ops& ops_;
  TokenBlocks tokens_, merged_, patches_;
  const Contents& contents_;
};

void there_and_back(const model::Qwen2VL& model, plan::UnitRange units,
                    const model::MicroBatch& batch, const ShardSettings& settings, Ops& ops,
                    const Contents& contents, double& loss_sum) {
  const Ends ends(model, ops, batch, contents);
  Pass pass;
  ends.fill_before(units.begin, pass);
  model.forward(ops, units, batch, 0.125f, settings.recompute, pass);
  loss_sum = pass.loss_sum;
  ends.take_behind(units.end - 1, pass);
  ends.fill_behind(units.end - 1, pass);
  model.backward(ops, units, batch, pass);
  ends.take_before(units.begin, pass);
}

/// Random numbers keyed by the element of the whole matrix.
void fill_block(const TokenBlocks& blocks, long columns, std::uint64_t seed,
                std::vector<float>& values) {
  const Philox random(seed, "between units");
  const long first = static_cast<long>(blocks.local().begin) * columns;
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = random.normal(static_cast<std::uint64_t>(first) + i);
}

template <class T>
void execute(const model::Qwen2VL& model, plan::UnitRange units, const model::MicroBatch& batch,
             const ShardSettings& settings, const model::OpsSettings& ops_settings,
             parallel::Communicator& comm, std::int64_t staged_bytes, const TakeGradients& take,
             ShardResult& result) {
  const kernels::Exec exec;
  const engine::Staging staging(settings.staged);
  const plan::ParameterTable& table = model.table();
  const plan::FlatLayout layout(table, 1, 0);
  const auto elements = static_cast<std::size_t>(layout.parameter_elements());
  const Kokkos::View<T*, kernels::Memory> weights("test::weights", elements);
  const Kokkos::View<float*, kernels::Memory> gradients("test::gradients", elements);
  engine::fill_flat(table, layout, lively_weights(), staging, weights.data());
  engine::ParameterStore<T> store(table, layout, weights.data());
  for (int s = 0; s < table.shard.segments(); ++s)
    store.set_gradients(s, gradients.data() + layout.segment(s).begin);

  const engine::ArenaMemory memory(result.planned_bytes);
  // What is read before it is written would be a NaN.
  Kokkos::deep_copy(Kokkos::View<unsigned char*, kernels::Memory>(
                        memory.at<unsigned char>(0), static_cast<std::size_t>(memory.bytes())),
                    static_cast<unsigned char>(0xff));
  plan::Arena arena;
  const auto staged = engine::staged_communicator(comm, staged_bytes);
  engine::ExecutingOps<T> ops(exec, table, arena, memory, staging, store, ops_settings,
                              comm.size() == 1  ? nullptr
                              : settings.staged ? staged.get()
                                                : &comm);
  const auto load = [&](const Tensor& x, std::vector<float>& values) {
    values.resize(static_cast<std::size_t>(x.rows() * x.columns()));
    if (x.type() == DType::f32)
      staging.load(exec, memory.at<const float>(x.offset()), std::span<float>(values));
    else
      staging.load(exec, memory.at<const T>(x.offset()), std::span<float>(values));
  };
  const Contents contents{
      [&](Tensor& x, const TokenBlocks& blocks, std::uint64_t seed) {
        std::vector<float> values(static_cast<std::size_t>(x.rows() * x.columns()));
        fill_block(blocks, x.columns(), seed, values);
        if (x.type() == DType::f32)
          staging.store(exec, values, memory.at<float>(x.offset()));
        else
          staging.store(exec, values, memory.at<T>(x.offset()));
      },
      [&](const std::string& name, const Tensor& x, const TokenBlocks& blocks) {
        HeldRows& held = result.outputs[name];
        held.begin = static_cast<long>(blocks.local().begin);
        held.columns = x.columns();
        load(x, held.values);
      }};
  counters().reset();
  there_and_back(model, units, batch, settings, ops, contents, result.loss_sum);
  std::copy_n(counters().gemm_flops, kParts, result.counted.gemm);
  std::copy_n(counters().attention_flops, kParts, result.counted.attention);
  result.sent_bytes = counters().sent_bytes;
  result.messages = counters().messages;
  result.used_bytes = arena.high_water();

  take(table, layout, gradients.data());
}

}  // namespace

plan::TensorFill lively_weights() {
  return [](const plan::LogicalTensor& tensor, long first, std::span<float> values) {
    const Philox random(5, tensor.name);
    const bool gain = tensor.kind == plan::Kind::gain;
    // Products keep the size of what they are given.
    const float scale = gain || tensor.kind == plan::Kind::bias
                            ? 0.3f
                            : 1 / std::sqrt(static_cast<float>(tensor.part.columns));
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] =
          (gain ? 1.0f : 0.0f) + scale * random.normal(static_cast<std::uint64_t>(first) + i);
  };
}

double order_bound(DType type, long longest, int products) {
  const double sums = 4 * products * std::sqrt(static_cast<double>(longest)) * 0x1p-24;
  return type == DType::f32 ? sums : sums + products * 0x1p-8;
}

ShardResult run_shard(const plan::ModelConfig& config, plan::UnitRange units,
                      const model::MicroBatch& batch, const ShardSettings& settings,
                      parallel::Communicator& comm) {
  std::map<std::string, std::vector<double>> gradients;
  ShardResult result = run_shard(
      config, units, batch, settings, comm,
      [&](const plan::ParameterTable& table, const plan::FlatLayout& layout, const float* flat) {
        engine::visit_flat(table, layout, flat, engine::Staging(settings.staged),
                           [&](const plan::LogicalTensor& tensor, long first, auto values) {
                             auto& sum = gradients[tensor.name];
                             sum.resize(static_cast<std::size_t>(tensor.whole_size()));
                             for (std::size_t i = 0; i < values.size(); ++i)
                               sum[static_cast<std::size_t>(first) + i] += values[i];
                           });
      });
  std::vector<double> sums{result.loss_sum};
  for (const auto& [name, gradient] : gradients)
    sums.insert(sums.end(), gradient.begin(), gradient.end());
  comm.all_reduce(parallel::buffer(sums), parallel::Reduce::sum).wait();
  result.loss_sum = sums[0];
  auto next = sums.cbegin() + 1;
  for (auto& [name, gradient] : gradients)
    for (double& value : gradient) value = *next++;
  result.gradients = std::move(gradients);
  return result;
}

ShardResult run_shard(const plan::ModelConfig& config, plan::UnitRange units,
                      const model::MicroBatch& batch, const ShardSettings& settings,
                      parallel::Communicator& comm, const TakeGradients& take) {
  const model::Qwen2VL model(config, {{{units}}, comm.rank(), comm.size()});
  const model::OpsSettings ops_settings{.type = settings.type,
                                        .trainable = settings.trainable,
                                        .staged = settings.staged || kDeviceMemory,
                                        .tensor_ranks = comm.size(),
                                        .tensor_rank = comm.rank()};
  ShardResult result;
  plan::Arena arena;
  model::RecordingOps recorder(model.table(), arena, ops_settings);
  const Contents nothing{[](auto&&...) {}, [](auto&&...) {}};
  double no_loss = 0;
  there_and_back(model, units, model::blank(batch.shape, config), settings, recorder, nothing,
                 no_loss);
  result.planned_bytes = arena.high_water();
  result.communication = recorder.communication();
  result.recorded = recorder.flops();
  std::int64_t staged_bytes = 0;
  for (const auto& record : recorder.communication())
    staged_bytes =
        std::max(staged_bytes, static_cast<std::int64_t>(record.sent_bytes + record.received_bytes +
                                                         16 * record.messages));
  if (settings.type == DType::f32)
    execute<float>(model, units, batch, settings, ops_settings, comm, staged_bytes, take, result);
  else
    execute<bf16>(model, units, batch, settings, ops_settings, comm, staged_bytes, take, result);
  return result;
}

}  // namespace vlmark::test
