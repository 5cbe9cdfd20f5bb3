#include "src/verification/communicators.hpp"

#include <gtest/gtest.h>

#include "parallel/shuffled_communicator.hpp"
#include "src/base/fault.hpp"
#include "tests/engine/small_model.hpp"
#include "tests/engine/training_run.hpp"
#include "tests/support/mpi_world.hpp"

namespace vlmark::test {
namespace {

using verification::Finding;

std::vector<Finding> check(parallel::Communicator& comm, bool deterministic, DType state,
                           const char* layout = "") {
  const plan::ModelConfig config = small_model();
  model::TrainingSettings settings;
  settings.type = settings.optimizer.state = state;
  settings.deterministic = deterministic;
  settings.bucket_elements = 8192;
  settings.layout = plan::parse_layout(*layout ? layout : "dp" + std::to_string(comm.size()));
  settings.segments = 2;
  const auto steps = three_steps(config);
  const model::Qwen2VL shard(config, model::shard_of(config, settings, shapes_of(steps),
                                                     plan::place_of(settings.layout, comm.rank())));
  const auto engine = make_engine(shard, settings, steps, comm);
  engine->step(input_of(steps[0]));
  return verification::check_communicators(*engine);
}

double wrong(const std::vector<Finding>& found, const std::string& key) {
  double sum = 0;
  for (const Finding& f : found)
    if (f.key.find(key) != std::string::npos) sum += f.check.value;
  return sum;
}

TEST(CheckCommunicators, HealthyGroupsAndSumsHaveNoWrongElement) {
  for (const bool deterministic : {true, false})
    for (const DType state : {DType::f32, DType::bf16}) {
      const auto found = check(world(), deterministic, state);
      EXPECT_EQ(found.size(), 7u * 10u + 1);
      for (const Finding& f : found)
        EXPECT_EQ(f.check.value, 0)
            << f.key << (deterministic ? " deterministic " : " fast ") << name_of(state);
    }
}

TEST(CheckCommunicators, EveryLayoutIsHealthy) {
  for (const char* layout : {"tp2", "pp2", "dp2.pp2", "tp2.pp2"}) {
    if (plan::parse_layout(layout).ranks() != world().size()) continue;
    EXPECT_EQ(wrong(check(world(), true, DType::f32, layout), ""), 0) << layout;
  }
}

TEST(CheckCommunicators, FindsElementsThatChangedPlaces) {
  const auto shuffled = parallel::shuffled_communicator(world());
  const auto found = check(*shuffled, true, DType::f32);
  for (const char* name : {"world", "data", "tensor", "forward", "backward", "embedding", "model"})
    EXPECT_GT(wrong(found, std::string(name) + " group"), 0) << name;
  EXPECT_GT(wrong(found, "reduce_scatter sum fp32"), 0);
  EXPECT_EQ(wrong(found, "all_gather"), 0);
  // The tree of the deterministic mode uses no sums of the transport; the fast mode does.
  EXPECT_EQ(wrong(found, "sums of gradients"), 0);
  const double fast = wrong(check(*shuffled, false, DType::f32), "sums of gradients");
  EXPECT_EQ(fast > 0, world().size() > 1) << fast;
}

}  // namespace
}  // namespace vlmark::test
