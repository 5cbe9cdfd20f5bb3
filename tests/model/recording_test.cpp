#include <gtest/gtest.h>

#include "src/model/record_step.hpp"

namespace vlmark::model {
namespace {

const plan::MicroBatchShape mixed{
    .sequences = {300, 17, 1}, .media = {{1, 8, 12}, {3, 4, 4}, {1, 2, 2}}, .supervised = 61};

/// The recorder's count against the closed formulas, for sizes that no test machine could run.
TEST(Recording, FlopsOfEveryPresetAndStageEqualTheLedger) {
  for (const std::string& preset : plan::model_preset_names()) {
    const Qwen2VL model(plan::model_preset(preset));
    const plan::FlatLayout layout(model.table(), 1, 0);
    for (const plan::Trainable trainable :
         {plan::Trainable{}, plan::Trainable::stage(1, false), plan::Trainable::stage(1, true),
          plan::Trainable::stage(3, false), plan::Trainable::stage(3, true)}) {
      const MemoryPlan plan = record_training(model, std::span(&mixed, 1), {DType::bf16, trainable},
                                              {}, layout, {DType::bf16, true, 1, 0});
      EXPECT_EQ(plan.flops, plan::training_flops(model.config(), mixed, trainable)) << preset;
    }
  }
}

/// Bytes one decoder layer keeps: s h (12 + 4 g + 6 f / h) + 4 s a for the log-sum-exp, and
/// s h (8 + 4 g + 4 f / h) with norms and product recomputed (Korthikanti et al., arXiv:2205.05198,
/// section 4, in the form of RMSNorm, grouped heads and SwiGLU). The two statistics of the norms
/// are ours: 8 s.
TEST(Recording, SavedBytesOfADecoderLayerFollowTheFormula) {
  const long s = 4096;
  for (const char* preset : {"2B", "7B", "72B"}) {
    const plan::ModelConfig m = plan::model_preset(preset);
    const Qwen2VL model(m);
    const Decoder decoder(m, model.table());
    for (const bool lean : {false, true}) {
      plan::Arena arena;
      RecordingOps ops(model.table(), arena, {DType::bf16, {}});
      const MicroBatch batch =
          blank({.sequences = {static_cast<int>(s)}, .media = {}, .supervised = 0}, m);
      const Tensor table =
          ops.mrope_table(batch.positions, m.mrope_section, m.rope_theta, m.head_dim());
      Tensor stream = ops.zero_stream(s, m.hidden);
      const std::int64_t before = arena.used();
      DecoderSaved saved;
      decoder.forward(ops, 0, batch, table, stream, {lean, lean}, &saved, nullptr);
      const double g = static_cast<double>(m.kv_heads) / m.heads,
                   f = static_cast<double>(m.intermediate) / m.hidden;
      const double formula =
          static_cast<double>(s * m.hidden) * (lean ? 8 + 4 * g + 4 * f : 12 + 4 * g + 6 * f) +
          4.0 * static_cast<double>(s) * m.heads + 8.0 * s;
      const double kept = static_cast<double>(arena.used() - before);
      EXPECT_NEAR(kept / formula, 1, 1e-4) << preset << (lean ? " lean" : "");
    }
  }
}

/// The arena holds what cuDNN wants, and its deterministic backward pass wants the square of the
/// longest sequence.
TEST(Recording, AttentionByCudnnGetsItsScratch) {
  const plan::ModelConfig m = plan::model_preset("2B");
  const Qwen2VL model(m);
  const plan::FlatLayout layout(model.table(), 1, 0);
  const plan::MicroBatchShape shape{
      .sequences = {8000, 300}, .media = {{1, 8, 12}}, .supervised = 61};
  const auto record = [&](DType type, AttentionBackend attention, bool deterministic) {
    OpsSettings settings{type, {}};
    settings.attention = attention;
    settings.deterministic = deterministic;
    return record_training(model, std::span(&shape, 1), settings, {}, layout, {type, true, 1, 0});
  };
  const MemoryPlan own = record(DType::bf16, AttentionBackend::own, true),
                   fixed = record(DType::bf16, AttentionBackend::cudnn, true),
                   any = record(DType::bf16, AttentionBackend::cudnn, false);
  const CudnnAttentionSize size{m.heads, m.kv_heads, m.head_dim(), 2, 8192, 10240};
  EXPECT_EQ(fixed.attention.bytes, cudnn_scratch(size, AttentionPass::backward, true, true).bytes);
  EXPECT_EQ(fixed.attention.bytes_in_any_order,
            cudnn_scratch(size, AttentionPass::backward, true, false).bytes);
  EXPECT_EQ(any.attention.bytes, fixed.attention.bytes_in_any_order);
  EXPECT_EQ(fixed.attention.segments, 2);
  EXPECT_EQ(fixed.attention.longest, 8192);
  EXPECT_EQ(own.attention.bytes, 0);
  // The peak without it lies elsewhere, so the arena grows by less than the scratch.
  EXPECT_GT(fixed.arena_bytes, own.arena_bytes + fixed.attention.bytes / 2);
  EXPECT_LT(fixed.arena_bytes, own.arena_bytes + fixed.attention.bytes);
  EXPECT_GE(any.arena_bytes, own.arena_bytes);
  EXPECT_EQ(fixed.flops, own.flops);
  // fp32 has no such kernel and no such scratch.
  EXPECT_EQ(record(DType::f32, AttentionBackend::cudnn, true).arena_bytes,
            record(DType::f32, AttentionBackend::own, true).arena_bytes);
}

TEST(Recording, LeavesNothingBehindAndRecomputeSavesMemory) {
  const Qwen2VL model(plan::model_preset("2B"));
  const plan::FlatLayout layout(model.table(), 8, 40'000'000);
  const auto bytes = [&](plan::Recompute recompute) {
    const MemoryPlan plan = record_training(model, std::span(&mixed, 1), {DType::bf16, {}},
                                            recompute, layout, {DType::bf16, true, 2, 3});
    std::int64_t sum = 0;
    for (const auto& item : plan.items) sum += item.bytes;
    EXPECT_NEAR(static_cast<double>(sum), static_cast<double>(plan.arena_bytes), 4096);
    return plan.items.back().bytes;
  };
  EXPECT_LT(bytes({true, false}), bytes({}));
  EXPECT_LT(bytes({true, true}), bytes({true, false}));
}

TEST(Recording, OrderOfShapesDoesNotChangeThePeak) {
  const Qwen2VL model(plan::model_preset("nano"));
  const plan::FlatLayout layout(model.table(), 1, 0);
  const plan::MicroBatchShape text{.sequences = {900}, .media = {}, .supervised = 899};
  const auto peak = [&](std::vector<plan::MicroBatchShape> shapes) {
    return record_training(model, shapes, {DType::f32, {}}, {}, layout, {DType::f32, true, 1, 0})
        .arena_bytes;
  };
  EXPECT_EQ(peak({mixed, text}), peak({text, mixed}));
  EXPECT_EQ(peak({mixed, text}), std::max(peak({mixed}), peak({text})));
}

}  // namespace
}  // namespace vlmark::model
