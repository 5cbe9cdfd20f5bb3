#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "parallel/self_communicator.hpp"
#include "src/base/error.hpp"
#include "tests/engine/small_model.hpp"
#include "tests/engine/training_run.hpp"

namespace vlmark::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

class StepInput : public testing::Test {
 protected:
  const model::Qwen2VL model{small_model()};
  const Step six = six_micro_batches(model.config());
  const std::unique_ptr<parallel::Communicator> comm = parallel::self_communicator();
  const std::unique_ptr<engine::TrainingEngine> engine = make_engine(model, {}, {six}, *comm);
};

TEST_F(StepInput, AMicroBatchOfAnotherShapeIsRefused) {
  engine::StepInput input = input_of({six[0]});
  input.load = [&](int, model::Contents) { return six[1]; };
  EXPECT_THAT(
      [&] { engine->step(input); },
      ThrowsMessage<ShapeError>(AllOf(HasSubstr("micro-batch 0 is not of the planned shape"),
                                      HasSubstr("data has 'sequences 20, media 1x4x6, 9 "),
                                      HasSubstr("index has 'sequences 17, media, 12 "))));
}

TEST_F(StepInput, NonFiniteParametersAreCounted) {
  EXPECT_EQ(engine->non_finite_parameters(), 0u);
  const auto normal = plan::initial_weights(1);
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    engine->set_parameters(
        [&](const plan::LogicalTensor& tensor, long first, std::span<float> values) {
          normal(tensor, first, values);
          if (tensor.name.ends_with("norm.weight") && first == 0) values[3] = bad;
        });
    EXPECT_GE(engine->non_finite_parameters(), 1u);
  }
}

TEST_F(StepInput, SettingTheParametersStartsAnew) {
  const auto first = engine->step(input_of(six));
  engine->step(input_of(six));
  engine->set_parameters(plan::initial_weights(1));
  const auto again = engine->step(input_of(six));
  EXPECT_EQ(again.loss, first.loss);
  EXPECT_EQ(again.grad_norm, first.grad_norm);
}

TEST_F(StepInput, ActionsFollowEachOtherInTime) {
  const auto result = engine->step(input_of(six));
  ASSERT_FALSE(result.actions.empty());
  std::int64_t now = result.start_ns;
  for (const engine::ActionTime& action : result.actions) {
    EXPECT_GE(action.start_ns, now);
    EXPECT_GE(action.end_ns, action.start_ns);
    now = action.end_ns;
  }
  EXPECT_GE(result.end_ns, now);
}

}  // namespace
}  // namespace vlmark::test
