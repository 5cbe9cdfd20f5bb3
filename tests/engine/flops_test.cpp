// FLOPs counted at the calls equal the ledger; a planted error does not go unnoticed.

#include <gtest/gtest.h>

#include <algorithm>

#include "kernels/gemm.hpp"
#include "parallel/self_communicator.hpp"
#include "src/base/counters.hpp"
#include "src/plan/ledger.hpp"
#include "tests/engine/small_model.hpp"
#include "tests/engine/training_run.hpp"

namespace vlmark::test {
namespace {

plan::Flops counted_flops() {
  plan::Flops flops;
  std::copy_n(counters().gemm_flops, kParts, flops.gemm);
  std::copy_n(counters().attention_flops, kParts, flops.attention);
  return flops;
}

plan::Flops ledger(const plan::ModelConfig& config, const Step& step,
                   const plan::Trainable& trainable) {
  plan::Flops flops;
  for (const model::MicroBatch& batch : step)
    flops += plan::training_flops(config, batch.shape, trainable);
  return flops;
}

/// FLOPs counted in one step; `extra` is called wherever a micro-batch is loaded.
template <class Extra>
plan::Flops count(const plan::ModelConfig& config, const model::TrainingSettings& settings,
                  const Step& step, const Extra& extra) {
  const model::Qwen2VL model(config);
  const auto comm = parallel::self_communicator();
  const auto engine = make_engine(model, settings, {step}, *comm);
  engine::StepInput input = input_of(step);
  input.load = [&](int m, model::Contents) {
    extra();
    return step[static_cast<std::size_t>(m)];
  };
  counters().reset();
  engine->step(input);
  return counted_flops();
}
const auto nothing = [] {};

TEST(Flops, CountedEqualTheLedgerInEveryPart) {
  for (const plan::ModelConfig& config : {small_model(), small_untied_model()})
    for (const DType type : {DType::f32, DType::bf16})
      for (const int stage : {1, 2, 3})
        for (const bool merger : {false, true}) {
          const auto trainable = plan::Trainable::stage(stage, merger);
          const Step six = six_micro_batches(config);
          const plan::Flops counted =
              count(config, {.type = type, .trainable = trainable}, six, nothing);
          EXPECT_EQ(counted, ledger(config, six, trainable))
              << config.name << " stage " << stage << " counted " << counted.total();
        }
}

TEST(Flops, RecomputeIsNotCounted) {
  const plan::ModelConfig config = small_model();
  const Step six = six_micro_batches(config);
  EXPECT_EQ(count(config, {.recompute = {true, true}}, six, nothing), ledger(config, six, {}));
}

TEST(Flops, APlantedProductIsNoticed) {
  const plan::ModelConfig config = small_model();
  const Step six = six_micro_batches(config);
  const auto planted = [] {
    const kernels::Exec exec;
    const kernels::Mat<float> a("test::a", 1, 1), b("test::b", 1, 1), c("test::c", 1, 1);
    const CountedPart decoder(Part::decoder);
    kernels::gemm(exec, kernels::Trans::no, kernels::Trans::no, a, b, 0, c);
  };
  const plan::Flops counted = count(config, {}, six, planted), expected = ledger(config, six, {});
  EXPECT_NE(counted, expected);
  EXPECT_EQ(counted.total(), expected.total() + 6 * 2u);
}

/// The engine skips a layer of the model that the ledger knows.
TEST(Flops, ASkippedLayerIsNoticed) {
  const plan::ModelConfig config = small_model();
  const Step six = six_micro_batches(config);
  plan::ModelConfig decoder_skipped = config, vit_skipped = config;
  --decoder_skipped.layers;
  --vit_skipped.vision.depth;
  const plan::Flops expected = ledger(config, six, {});
  const auto part = [](Part p) { return static_cast<std::size_t>(p); };

  const plan::Flops without_layer = count(decoder_skipped, {}, six, nothing);
  EXPECT_LT(without_layer.gemm[part(Part::decoder)], expected.gemm[part(Part::decoder)]);
  EXPECT_LT(without_layer.attention[part(Part::decoder)], expected.attention[part(Part::decoder)]);
  EXPECT_EQ(without_layer.gemm[part(Part::vit)], expected.gemm[part(Part::vit)]);

  const plan::Flops without_block = count(vit_skipped, {}, six, nothing);
  EXPECT_LT(without_block.gemm[part(Part::vit)], expected.gemm[part(Part::vit)]);
  EXPECT_EQ(without_block.gemm[part(Part::decoder)], expected.gemm[part(Part::decoder)]);
}

/// Rows left out of the batch, which the ledger was told of, are noticed too.
TEST(Flops, AMicroBatchTooFewIsNoticed) {
  const plan::ModelConfig config = small_model();
  Step six = six_micro_batches(config);
  const plan::Flops expected = ledger(config, six, {});
  six.pop_back();
  EXPECT_NE(count(config, {}, six, nothing), expected);
}

}  // namespace
}  // namespace vlmark::test
