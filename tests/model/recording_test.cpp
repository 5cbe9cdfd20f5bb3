#include <gtest/gtest.h>

#include "src/model/training_plan.hpp"

namespace vlmark::model {
namespace {

const plan::MicroBatchShape mixed{
    .sequences = {300, 17, 1}, .media = {{1, 8, 12}, {3, 4, 4}, {1, 2, 2}}, .supervised = 61};

/// The recorder's count against the closed formulas, for sizes that no test machine could run.
TEST(Recording, FlopsOfEveryPresetAndStageEqualTheLedger) {
  for (const std::string& preset : plan::model_preset_names()) {
    const Qwen2VL model(plan::model_preset(preset));
    for (const plan::Trainable trainable :
         {plan::Trainable{}, plan::Trainable::stage(1, false), plan::Trainable::stage(1, true),
          plan::Trainable::stage(3, false), plan::Trainable::stage(3, true)}) {
      TrainingSettings settings{.type = DType::bf16, .trainable = trainable};
      const MemoryPlan plan = plan_training(model, settings, {{mixed}}, 0);
      EXPECT_EQ(plan.flops, plan::training_flops(model.config(), mixed, trainable)) << preset;
    }
  }
}

TEST(Recording, FlopsOfRecomputationEqualTheLedger) {
  for (const plan::Recompute again : {plan::Recompute{.norms = true, .activation = true},
                                      {.up_projection = true},
                                      {.attention = true},
                                      {true, true, true, true},
                                      {.layer = true},
                                      {true, true, true, true, true}})
    for (const plan::Trainable trainable :
         {plan::Trainable{}, plan::Trainable::stage(1, true), plan::Trainable::stage(3, false)}) {
      const Qwen2VL model(plan::model_preset("7B"));
      TrainingSettings settings{.type = DType::bf16, .trainable = trainable, .recompute = again};
      plan::Flops ledger = plan::training_flops(model.config(), mixed, trainable);
      ledger += plan::extra_flops(model.config(), mixed, trainable, again, 1);
      EXPECT_EQ(plan_training(model, settings, {{mixed}}, 0).flops, ledger);
    }
}

/// Bytes one decoder layer keeps: s h (12 + 4 g + 6 f / h) + 4 s a for the log-sum-exp, all over t
/// tensor ranks, keys and values over at most as many as there are heads of them (Korthikanti et
/// al., arXiv:2205.05198, section 4, in the form of RMSNorm, grouped heads and SwiGLU). The two
/// statistics of the norms are ours: 8 s / t. Each switch takes away its part.
TEST(Recording, SavedBytesOfADecoderLayerFollowTheFormula) {
  struct Case {
    plan::Recompute recompute;
    double hidden, wide, log_sums;  // s h, s f and 4 s a bytes that it takes away
  };
  const Case cases[] = {{{}, 0, 0, 0},
                        {{.norms = true}, 4, 0, 0},
                        {{.activation = true}, 0, 2, 0},
                        {{true, true}, 4, 2, 0},
                        {{.up_projection = true}, 0, 4, 0},
                        {{.attention = true}, 2, 0, 1},
                        {{true, true, true, true}, 6, 6, 1}};
  const long s = 4096;
  for (const char* preset : {"2B", "7B", "72B"})
    for (const int t : {1, 2, 4})
      for (const Case& c : cases) {
        const plan::ModelConfig m = plan::model_preset(preset);
        plan::Shard shard = plan::Shard::whole(m);
        shard.tensor_ranks = t;
        const Qwen2VL model(m, shard);
        const Decoder decoder(m, model.table());
        plan::Arena arena;
        OpsSettings settings{DType::bf16, {}};
        settings.tensor_ranks = t;
        RecordingOps ops(model.table(), arena, settings);
        const MicroBatch batch =
            blank({.sequences = {static_cast<int>(s)}, .media = {}, .supervised = 0}, m);
        const Tensor table =
            ops.mrope_table(batch.positions, m.mrope_section, m.rope_theta, m.head_dim());
        Tensor stream = ops.zero_stream(s / t, m.hidden);
        const std::int64_t before = arena.used();
        DecoderSaved saved;
        decoder.forward(ops, 0, batch, table, stream, c.recompute, &saved, nullptr);
        const double shared = static_cast<double>(std::max(m.kv_heads / t, 1)) * t,
                     g = shared / m.heads, f = static_cast<double>(m.intermediate) / m.hidden;
        const double formula =
            (static_cast<double>(s * m.hidden) * (12 - c.hidden + 4 * g + (6 - c.wide) * f) +
             4.0 * (1 - c.log_sums) * static_cast<double>(s) * m.heads + 8.0 * s) /
            t;
        const double kept = static_cast<double>(arena.used() - before);
        EXPECT_NEAR(kept / formula, 1, 1e-4)
            << preset << " tp" << t << " -" << c.hidden << " -" << c.wide;
      }
}

/// The arena holds what cuDNN wants, and its deterministic backward pass wants the square of the
/// longest sequence.
TEST(Recording, AttentionByCudnnGetsItsScratch) {
  const plan::ModelConfig m = plan::model_preset("2B");
  const Qwen2VL model(m);
  const plan::MicroBatchShape shape{
      .sequences = {8000, 300}, .media = {{1, 8, 12}}, .supervised = 61};
  const auto record = [&](DType type, AttentionBackend attention, bool deterministic) {
    TrainingSettings settings{.type = type, .deterministic = deterministic};
    settings.attention = attention;
    return plan_training(model, settings, {{shape}}, 0);
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
  const auto bytes = [&](plan::Recompute recompute) {
    TrainingSettings settings{
        .type = DType::bf16, .recompute = recompute, .bucket_elements = 40'000'000};
    settings.layout.data = 8;
    const MemoryPlan plan = plan_training(model, settings, {Steps::value_type(16, mixed)}, 0);
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
  const plan::MicroBatchShape text{.sequences = {900}, .media = {}, .supervised = 899};
  const auto peak = [&](std::vector<plan::MicroBatchShape> shapes) {
    Steps steps;
    for (const auto& shape : shapes) steps.push_back({shape});
    return plan_training(model, {}, steps, 0).arena_bytes;
  };
  EXPECT_EQ(peak({mixed, text}), peak({text, mixed}));
  EXPECT_EQ(peak({mixed, text}), std::max(peak({mixed}), peak({text})));
}

}  // namespace
}  // namespace vlmark::model
