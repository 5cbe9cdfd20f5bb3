// Twenty AdamW steps agree with PyTorch's, on any number of ranks with ZeRO-1, and have the same
// bits on all of them.

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "parallel/scalars.hpp"
#include "parallel/self_communicator.hpp"
#include "src/engine/training_engine.hpp"
#include "tests/golden/golden_data.hpp"
#include "tests/support/mpi_world.hpp"

namespace vlmark::test {
namespace {

using nlohmann::json;

class GoldenTrajectory : public testing::TestWithParam<std::filesystem::path> {
 protected:
  const std::filesystem::path& folder() const { return GetParam(); }
  const json stored = json::parse(std::ifstream(GetParam() / "trajectory.json"));
  const plan::ModelConfig config = golden_config(GetParam());
  const model::Qwen2VL model{config};

  struct Run {
    std::vector<double> losses, norms;
    std::map<std::string, std::pair<double, double>> final_norm_and_sum;
    std::uint64_t parameters, state;
  };

  /// Every sequence of a step's cases is a micro-batch.
  std::vector<model::MicroBatch> micro_batches(const json& step) const {
    std::vector<model::MicroBatch> batches;
    for (const std::string name : step.at("cases")) {
      const GoldenTensors tensors(folder() / (name + ".safetensors"));
      for (const auto& sequence : golden_sequences(tensors, config))
        batches.push_back(model::pack(std::span(&sequence, 1), config));
    }
    return batches;
  }

  Run train(DType type, parallel::Communicator& comm) const {
    return train(type, comm, {.data = comm.size()});
  }
  Run train(DType type, parallel::Communicator& comm, const plan::Layout& layout) const {
    const json& optimizer = stored.at("optimizer");
    model::TrainingSettings settings{.type = type};
    settings.optimizer = {optimizer.at("beta1"), optimizer.at("beta2"), optimizer.at("eps"), 0.1,
                          optimizer.at("clip_global_norm")};
    settings.bucket_elements = 100'000;  // several buckets
    std::vector<std::vector<model::MicroBatch>> steps;
    model::Steps shapes;
    for (const json& step : stored.at("steps")) {
      steps.push_back(micro_batches(step));
      shapes.emplace_back();
      for (const auto& batch : steps.back()) shapes.back().push_back(batch.shape);
    }
    settings.layout = layout;
    settings.segments = 2;
    settings.overlap = {true, true, true};
    const model::Qwen2VL shard(
        config,
        model::shard_of(config, settings, shapes, plan::place_of(settings.layout, comm.rank())));
    const auto plan = model::plan_training(shard, settings, shapes, comm.rank());
    const auto engine = engine::make_training_engine(shard, settings, plan, comm);
    engine->set_parameters(golden_weights(folder()));
    Run run;
    for (const auto& batches : steps) {
      engine::StepInput input;
      for (const auto& batch : batches) input.shapes.push_back(batch.shape);
      input.load = [&](int m, model::Contents) { return batches[static_cast<std::size_t>(m)]; };
      input.learning_rate = optimizer.at("lr");
      const engine::StepResult result = engine->step(input);
      run.losses.push_back(result.loss);
      run.norms.push_back(result.grad_norm);
    }
    engine->gather_parameters();
    run.parameters = engine->parameter_hash();
    run.state = static_cast<std::uint64_t>(
        parallel::all_reduce_sum(comm, static_cast<std::int64_t>(engine->state_hash())));
    if (comm.size() == 1) {
      engine->visit_owned(plan::OptimizerValue::master, [&](const plan::LogicalTensor& tensor, long,
                                                            std::span<const float> values) {
        auto& [squares, sum] = run.final_norm_and_sum[tensor.name];
        for (const double value : values) squares += value * value, sum += value;
      });
    }
    return run;
  }

  /// Within `factor` times the bound of fp32 (tests/golden/README.md).
  void expect_losses_close(const Run& run, double factor) const {
    double largest = 0;
    for (std::size_t i = 0; i < run.losses.size(); ++i) {
      const json& step = stored.at("steps").at(i);
      const double exact = step.at("loss"), fp32 = step.at("loss_fp32");
      largest = std::max(largest, std::abs(fp32 - exact));
      const double tolerance = std::max({2e-5 * std::abs(exact), 1e-5, 4 * largest});
      EXPECT_LE(std::abs(run.losses[i] - exact), factor * tolerance) << "step " << i;
    }
  }
};

TEST_P(GoldenTrajectory, EveryStepAgreesInFp32) {
  const Run run = train(DType::f32, world());
  expect_losses_close(run, 1);
  for (const auto& [name, found] : run.final_norm_and_sum) {
    SCOPED_TRACE(name);
    const auto& exact = stored.at("final_norm_and_sum").at(name);
    const double norm = exact.at(0), sum = exact.at(1);
    long size = 0;
    for (const auto& tensor : model.table().tensors)
      if (tensor.name == name) size = tensor.size();
    EXPECT_LE(std::abs(std::sqrt(found.first) - norm), 1e-3 * norm);
    EXPECT_LE(std::abs(found.second - sum), 1e-3 * norm * std::sqrt(static_cast<double>(size)));
  }
}

/// With tensor parallelism sums have another order: four times the bound of one rank.
TEST_P(GoldenTrajectory, EveryStepAgreesOnAGrid) {
  for (const char* name : {"tp2", "pp2", "tp2.pp2", "dp2.pp2", "tp2.pp2.dp2"}) {
    const plan::Layout layout = plan::parse_layout(name);
    if (layout.ranks() != world().size() ||
        !plan::problems(layout, config, layout.ranks(), 3).empty())
      continue;
    SCOPED_TRACE(name);
    const Run run = train(DType::f32, world(), layout);
    expect_losses_close(run, 4);
    if (layout.tensor > 1) continue;
    const Run alone = train(DType::f32, *parallel::self_communicator());
    EXPECT_EQ(run.losses, alone.losses);
    EXPECT_EQ(run.norms, alone.norms);
    EXPECT_EQ(run.state, alone.state);
  }
}

TEST_P(GoldenTrajectory, EveryStepAgreesInBf16) {
  const Run run = train(DType::bf16, world());
  double largest = 0;
  for (const json& step : stored.at("steps"))
    largest = std::max(
        largest, std::abs(step.at("loss_mixed").get<double>() - step.at("loss").get<double>()));
  for (std::size_t i = 0; i < run.losses.size(); ++i)
    EXPECT_LE(std::abs(run.losses[i] - stored.at("steps").at(i).at("loss").get<double>()),
              2 * largest + 1e-3)
        << "step " << i;
}

TEST_P(GoldenTrajectory, RanksChangeNoBit) {
  for (const DType type : {DType::f32, DType::bf16}) {
    const Run together = train(type, world());
    const Run alone = train(type, *parallel::self_communicator());
    EXPECT_EQ(together.losses, alone.losses);
    EXPECT_EQ(together.norms, alone.norms);
    EXPECT_EQ(together.state, alone.state);
    EXPECT_TRUE(parallel::same_on_all_ranks(world(), together.parameters));
  }
}

const auto by_folder = [](const auto& c) { return test_name(c.param.filename().string()); };
INSTANTIATE_TEST_SUITE_P(Models, GoldenTrajectory,
                         testing::ValuesIn(golden_models_with("trajectory.json")), by_folder);

}  // namespace
}  // namespace vlmark::test
