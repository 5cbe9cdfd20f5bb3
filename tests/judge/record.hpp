#pragma once

#include <algorithm>
#include <cmath>

#include "src/config/run_config.hpp"
#include "src/io/record.hpp"
#include "src/plan/ledger.hpp"
#include "src/recipe/learning_rate.hpp"
#include "src/recipe/manifest.hpp"
#include "src/recipe/work.hpp"

namespace vlmark::test {

inline recipe::Manifest small_manifest() {
  recipe::Manifest manifest;
  manifest.model = plan::model_preset("nano");
  manifest.seed = 3;
  manifest.micro_batches = 2;
  manifest.micro_batch_samples = 2;
  for (int i = 0; i < 5; ++i)
    manifest.samples.push_back({20 + i, 6, {{1, 4, 4 + 2 * i}}, {{56, 56 + 28 * i}}});
  return manifest;
}

/// The record of a run of two ranks that every rule is content with: 30 steps, 5 of them untimed.
inline io::Record good_record(config::RunConfig config = {}) {
  if (config.train.steps == config::TrainSection{}.steps) config.train.steps = 30;
  const recipe::Manifest manifest = small_manifest();
  io::Record record;
  record.rules_version = io::kRulesVersion;
  record.ranks = 2;
  record.texts = {{"config", config::to_toml(config)},
                  {"plan/manifest", to_json(manifest)},
                  {"plan/layout", "dp2"},
                  {"provenance/model", "nano"},
                  {"provenance/instruction_set", "avx2"}};
  record.plan_values = {{"setup.seconds", 2.5},
                        {"window.untimed_steps", 5},
                        {"window.repetition", 1},
                        {"window.wall_seconds", config.train.steps - 5 - 0.1}};
  const config::TrainSection& t = config.train;
  const recipe::LearningRate rate{t.learning_rate, t.min_learning_rate, t.warmup_steps, t.steps,
                                  t.schedule == config::Schedule::cosine};
  record.clocks = {{0, 0}, {5, 1}};
  record.timing.resize(2);
  record.counters.resize(2);
  for (int i = 0; i < config.train.steps; ++i) {
    const auto shapes = manifest.step(i);
    io::StepScalars step{i, 6 * std::pow(0.8, i), 1, rate.at(i), {}};
    const recipe::Work work = recipe::work_of(shapes, manifest.model.vision.merge_unit());
    std::copy_n(work.tokens, io::kTokenKinds, step.tokens);
    record.steps.push_back(step);
    plan::Flops flops;
    for (const auto& shape : shapes)
      flops += plan::training_flops(manifest.model, shape, manifest.trainable);
    for (int r = 0; r < 2; ++r) {
      const std::int64_t start = 1'000'000'000LL * i + 1000 * r;
      record.timing[static_cast<std::size_t>(r)].push_back({i, start, start + 900'000'000, {}});
      io::StepCounters counters{i, {}, {}, 0, 0};
      if (r == 0)
        for (int p = 0; p < kParts; ++p) {
          counters.gemm_flops[p] = flops.gemm[p];
          counters.attention_flops[p] = flops.attention[p];
        }
      record.counters[static_cast<std::size_t>(r)].push_back(counters);
    }
  }
  for (const char* rule : {"V1", "V4", "V5", "V6", "R4"})
    record.verification.push_back({0, {rule, std::string("check of ") + rule, 0, 0, true}});
  return record;
}

}  // namespace vlmark::test
