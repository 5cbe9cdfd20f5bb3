// Parity with PyTorch: every case of every model folder, fp32 and bf16, by the table "What equal
// means" of tests/golden/README.md.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "parallel/self_communicator.hpp"
#include "src/base/counters.hpp"
#include "src/engine/inference_engine.hpp"
#include "src/engine/training_engine.hpp"
#include "src/plan/ledger.hpp"
#include "tests/golden/golden_data.hpp"
#include "tests/support/expect_close.hpp"

namespace vlmark::test {
namespace {

using model::TrainingSettings;

class Golden : public testing::TestWithParam<GoldenCase> {
 protected:
  const std::filesystem::path& folder() const { return GetParam().model; }
  const plan::ModelConfig config = golden_config(GetParam().model);
  const model::Qwen2VL model{config};
  const GoldenTensors expected{GetParam().model / (GetParam().name + ".safetensors")};
  const std::vector<model::Sequence> sequences = golden_sequences(expected, config);

  std::unique_ptr<engine::InferenceEngine> inference(DType type) const {
    auto engine = engine::make_inference_engine(model, type);
    engine->set_parameters(golden_weights(folder()));
    return engine;
  }
  const std::vector<double>& of(std::size_t sequence, const std::string& name) const {
    return expected.at("s" + std::to_string(sequence) + "." + name);
  }
  bool has(std::size_t sequence, const std::string& name) const {
    return expected.has("s" + std::to_string(sequence) + "." + name);
  }
};

TEST_P(Golden, PositionsAndDeltaAreEqual) {
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    const model::MicroBatch batch = model::pack(std::span(&sequences[i], 1), config);
    EXPECT_EQ(std::vector<double>(batch.positions.begin(), batch.positions.end()),
              of(i, "position_ids"));
    EXPECT_EQ(batch.rope_deltas[0], of(i, "rope_delta")[0]);
  }
}

TEST_P(Golden, VisionHiddenAndLogitsAgreeInFp32) {
  const auto engine = inference(DType::f32);
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    const model::MicroBatch batch = model::pack(std::span(&sequences[i], 1), config);
    expect_close(engine->hidden(batch), of(i, "hidden"), 1e-5);
    expect_close(engine->logits(batch), of(i, "logits"), 1e-5);
    if (batch.shape.media.empty()) continue;
    const std::vector<float> vision = engine->vision(batch);
    std::vector<float> by_kind[2];
    auto from = vision.begin();
    for (const model::Medium& medium : sequences[i].media) {
      const auto to = from + medium.grid.merged(config.vision.merge_size) * config.hidden;
      auto& kind = by_kind[medium.video];
      kind.insert(kind.end(), from, to);
      from = to;
    }
    if (has(i, "vit_image")) expect_close(by_kind[0], of(i, "vit_image"), 1e-5);
    if (has(i, "vit_video")) expect_close(by_kind[1], of(i, "vit_video"), 1e-5);
  }
}

TEST_P(Golden, LogitsAgreeInBf16) {
  const auto engine = inference(DType::bf16);
  double ours = 0, theirs = 0;
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    const model::MicroBatch batch = model::pack(std::span(&sequences[i], 1), config);
    const std::vector<float> logits = engine->logits(batch);
    const auto &exact = of(i, "logits"), &torch = of(i, "logits_bf16");
    ASSERT_EQ(logits.size(), exact.size());
    for (std::size_t j = 0; j < exact.size(); ++j) {
      ASSERT_FALSE(std::isnan(logits[j]));
      ours = std::max(ours, std::abs(logits[j] - exact[j]));
      theirs = std::max(theirs, std::abs(torch[j] - exact[j]));
    }
  }
  EXPECT_LE(ours, 2 * theirs);
}

TEST_P(Golden, PackedSequencesGiveTheLogitsOfSeparateOnes) {
  const auto engine = inference(DType::f32);
  const std::vector<float> packed = engine->logits(model::pack(sequences, config));
  std::vector<double> apart;
  for (std::size_t i = 0; i < sequences.size(); ++i)
    apart.insert(apart.end(), of(i, "logits").begin(), of(i, "logits").end());
  expect_close(packed, apart, 1e-5);
}

/// Every sequence a micro-batch of its own, or all packed into one.
class GoldenTraining : public Golden {
 protected:
  struct Step {
    engine::StepResult result;
    std::map<std::string, std::vector<double>> gradients;
    plan::Flops counted, ledger;
  };
  Step step(const TrainingSettings& settings, bool packed) const {
    std::vector<model::MicroBatch> batches;
    if (packed)
      batches.push_back(model::pack(sequences, config));
    else
      for (const auto& sequence : sequences)
        batches.push_back(model::pack(std::span(&sequence, 1), config));
    engine::StepInput input;
    for (const auto& batch : batches) input.shapes.push_back(batch.shape);
    input.load = [&](int m, model::Contents) { return batches[static_cast<std::size_t>(m)]; };

    const auto comm = parallel::self_communicator();
    const auto plan = model::plan_training(model, settings, {input.shapes}, 0);
    const auto engine = engine::make_training_engine(model, settings, plan, *comm);
    engine->set_parameters(golden_weights(folder()));
    Step step;
    counters().reset();
    step.result = engine->step(input);
    std::copy_n(counters().gemm_flops, kParts, step.counted.gemm);
    std::copy_n(counters().attention_flops, kParts, step.counted.attention);
    for (const auto& shape : input.shapes)
      step.ledger += plan::training_flops(config, shape, settings.trainable);
    engine->visit_owned_gradients(
        [&](const plan::LogicalTensor& tensor, long first, std::span<const float> values) {
          auto& gradient = step.gradients[tensor.name];
          gradient.resize(static_cast<std::size_t>(tensor.size()));
          std::copy(values.begin(), values.end(), gradient.begin() + first);
        });
    return step;
  }
  void expect_gradients_close(const Step& step, DType type) const;
};

double norm(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value * value;
  return std::sqrt(sum);
}

double root_mean_square(const std::vector<double>& differences) {
  return norm(differences) /
         std::sqrt(static_cast<double>(std::max<std::size_t>(differences.size(), 1)));
}

void GoldenTraining::expect_gradients_close(const Step& step, DType type) const {
  const GoldenTensors grads(folder() / (GetParam().name + ".grads.safetensors"));
  for (const auto& [name, gradient] : step.gradients) {
    SCOPED_TRACE(name);
    const double exact = grads.at(name + "|norm_sum")[0], found = norm(gradient);
    const auto &index = grads.at(name + "|index"), &value = grads.at(name + "|value"),
               &bf16_value = grads.at(name + "|bf16_value");
    const double typical = exact / std::sqrt(static_cast<double>(gradient.size()));
    if (exact == 0) {
      EXPECT_EQ(found, 0);
      continue;
    }
    std::vector<double> ours, theirs;
    for (std::size_t i = 0; i < index.size(); ++i) {
      ours.push_back(gradient[static_cast<std::size_t>(index[i])] - value[i]);
      theirs.push_back(bf16_value[i] - value[i]);
      if (type == DType::f32) {
        EXPECT_LE(std::abs(ours[i]), 1e-4 * typical + 1e-4 * std::abs(value[i]))
            << "at " << index[i];
      }
    }
    if (type == DType::f32) {
      EXPECT_LE(std::abs(found - exact), 1e-4 * exact);
    } else {
      const double deviation = std::max(grads.at(name + "|bf16_deviation")[0], 0.01);
      EXPECT_LE(std::abs(found - exact), 2 * deviation * exact);
      EXPECT_LE(root_mean_square(ours), 2 * std::max(root_mean_square(theirs), 0.01 * typical));
    }
  }
}

TEST_P(GoldenTraining, LossAndGradientsAgreeInFp32) {
  const Step apart = step({.type = DType::f32}, /*packed=*/false);
  const double exact = expected.at("loss")[0];
  EXPECT_LE(std::abs(apart.result.loss - exact), 1e-6 * std::abs(exact));
  expect_gradients_close(apart, DType::f32);
  const Step packed = step({.type = DType::f32}, /*packed=*/true);
  EXPECT_LE(std::abs(packed.result.loss - exact), 1e-6 * std::abs(exact));
  expect_gradients_close(packed, DType::f32);
}

TEST_P(GoldenTraining, LossAndGradientsAgreeInBf16) {
  double largest = 0;  // over the model's cases
  for (const GoldenCase& c : golden_cases()) {
    if (c.model != folder()) continue;
    const auto loss = GoldenTensors(c.model / (c.name + ".safetensors")).at("loss");
    largest = std::max(largest, std::abs(loss[2] - loss[0]));
  }
  const Step bf16_step = step({.type = DType::bf16}, /*packed=*/false);
  EXPECT_LE(std::abs(bf16_step.result.loss - expected.at("loss")[0]), 2 * largest);
  expect_gradients_close(bf16_step, DType::bf16);
}

TEST_P(GoldenTraining, RecomputeChangesNoBit) {
  const Step kept = step({}, false);
  for (const plan::Recompute recompute :
       {plan::Recompute{true, false}, plan::Recompute{false, true}, plan::Recompute{true, true}}) {
    const Step again = step({.recompute = recompute}, false);
    EXPECT_EQ(again.result.loss, kept.result.loss);
    EXPECT_EQ(again.gradients, kept.gradients);
  }
}

TEST_P(GoldenTraining, CountedFlopsEqualTheLedger) {
  for (const plan::Trainable trainable :
       {plan::Trainable{}, plan::Trainable::stage(1, false), plan::Trainable::stage(1, true),
        plan::Trainable::stage(3, false), plan::Trainable::stage(3, true)}) {
    const Step s = step({.trainable = trainable}, false);
    for (int part = 0; part < kParts; ++part) {
      SCOPED_TRACE(name_of(static_cast<Part>(part)));
      EXPECT_EQ(s.counted.gemm[part], s.ledger.gemm[part]);
      EXPECT_EQ(s.counted.attention[part], s.ledger.attention[part]);
    }
    EXPECT_GT(s.counted.total(), 0u);
  }
}

TEST_P(GoldenTraining, FrozenGroupsGetNoGradientAndTheOthersTheSame) {
  const Step all = step({}, false);
  for (const int stage : {1, 3}) {
    for (const bool merger : {false, true}) {
      const auto trainable = plan::Trainable::stage(stage, merger);
      const Step some = step({.trainable = trainable}, false);
      for (const auto& tensor : model.table().tensors) {
        SCOPED_TRACE(tensor.name);
        if (trainable(tensor.group)) {
          EXPECT_EQ(some.gradients.at(tensor.name), all.gradients.at(tensor.name));
        } else {
          EXPECT_EQ(norm(some.gradients.at(tensor.name)), 0);
        }
      }
    }
  }
}

const auto by_label = [](const auto& info) { return info.param.label(); };
INSTANTIATE_TEST_SUITE_P(Cases, Golden, testing::ValuesIn(golden_cases()), by_label);
INSTANTIATE_TEST_SUITE_P(Cases, GoldenTraining, testing::ValuesIn(golden_cases()), by_label);

}  // namespace
}  // namespace vlmark::test
