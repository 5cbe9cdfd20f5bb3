#include "src/recipe/run_settings.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <set>

#include "src/base/error.hpp"

namespace vlmark::recipe {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

const plan::ModelConfig nano = plan::model_preset("nano");

config::RunConfig with_layout(const std::string& layout) {
  config::RunConfig config;
  config.parallel.layout = layout;
  config.train.micro_batches = 6;
  return config;
}

TEST(TrainingSettings, WithoutALayoutEveryRankIsAReplica) {
  for (const int ranks : {1, 2, 3, 6})
    EXPECT_EQ(training_settings(with_layout(""), nano, ranks).layout,
              (plan::Layout{.data = ranks}));
}

TEST(TrainingSettings, TakeTheLayoutAndTheSwitches) {
  config::RunConfig config = with_layout("tp2.pp2.dp2");
  config.parallel.overlap_gather = false;
  config.parallel.segments = 7;
  config.parallel.shapes = config::Shapes::broadcast;
  const model::TrainingSettings settings = training_settings(config, nano, 8);
  EXPECT_EQ(settings.layout, (plan::Layout{.data = 2, .tensor = 2, .pipeline = 2}));
  EXPECT_EQ(settings.overlap, (plan::Overlap{true, false, true}));
  EXPECT_EQ(settings.segments, 7);
  EXPECT_TRUE(settings.broadcast_shapes);
  EXPECT_FALSE(training_settings(with_layout(""), nano, 1).broadcast_shapes);
}

TEST(TrainingSettings, TakeTheStateOfTheOptimizerAndItsSeed) {
  config::RunConfig config = with_layout("");
  config.model.precision = config.optimizer.state = DType::bf16;
  config.model.seed = 9;
  const model::TrainingSettings settings = training_settings(config, nano, 1);
  EXPECT_EQ(settings.optimizer.state, DType::bf16);
  EXPECT_EQ(settings.optimizer.seed, 9u);
}

TEST(ModelOf, APresetTakesTheSpecialTokensOfTheTokenizer) {
  config::RunConfig config;
  config.model.preset = "2B";
  config.data.tokenizer = std::string(std::getenv("VLMARK_SOURCE_DIR")) + "/configs/tokenizer-nano";
  const plan::ModelConfig model =
      model_of(config.model, data::Tokenizer::from_folder(config.data.tokenizer));
  EXPECT_EQ(model.vocab, plan::model_preset("2B").vocab);
  EXPECT_EQ(model.image_id, nano.image_id);
  EXPECT_EQ(model.video_id, nano.video_id);
  EXPECT_EQ(model.vision_start_id, nano.vision_start_id);
  EXPECT_EQ(model.vision_end_id, nano.vision_end_id);
  EXPECT_EQ(model.eos_id, nano.eos_id);
  EXPECT_EQ(model.pad_id, nano.pad_id);
  EXPECT_EQ(model.bos_id, nano.bos_id);
}

TEST(ModelOf, WhatIsReducedStandsInTheName) {
  config::ModelSection model;
  model.preset = "2B";
  EXPECT_EQ(model_of(model).name, "2B");
  model.layers = 28;  // all there are
  EXPECT_EQ(model_of(model).name, "2B");
  model.layers = 2;
  EXPECT_EQ(model_of(model).name, "2B-2of28-layers");
  model.vision_depth = 1;
  const plan::ModelConfig found = model_of(model);
  EXPECT_EQ(found.name, "2B-2of28-layers-1of32-blocks");
  EXPECT_EQ(found.layers, 2);
  EXPECT_EQ(found.vision.depth, 1);
  EXPECT_EQ(found.hidden, plan::model_preset("2B").hidden);
  model.layers = 0;
  EXPECT_EQ(model_of(model).name, "2B-1of32-blocks");
  model.vocabulary = 1024;
  const plan::ModelConfig small = model_of(model);
  EXPECT_EQ(small.name, "2B-1of32-blocks-1024of151936-tokens");
  EXPECT_THAT(plan::problems(small), testing::IsEmpty());
  std::set<int> special{small.pad_id,        small.eos_id,   small.vision_start_id,
                        small.vision_end_id, small.image_id, small.video_id};
  EXPECT_EQ(special.size(), 6u);
  EXPECT_GE(*special.begin(), 1018);
  model.vocabulary = 127;
  EXPECT_THROW(model_of(model), ConfigError);
  model.vocabulary = 0;
  model.layers = 29;
  EXPECT_THAT(
      [&] { model_of(model); },
      ThrowsMessage<ConfigError>(HasSubstr("model.layers: 29 is above the 28 layers of 2B")));
}

TEST(TrainingSettings, RefuseALayoutOfOtherRanks) {
  EXPECT_THAT([] { training_settings(with_layout("dp2"), nano, 3); },
              ThrowsMessage<ConfigError>(AllOf(HasSubstr("dp2"), HasSubstr("the job has 3"))));
}

TEST(TrainingSettings, RefuseMoreReplicasThanMicroBatches) {
  EXPECT_THAT([] { training_settings(with_layout(""), nano, 7); },
              ThrowsMessage<ConfigError>(AllOf(HasSubstr("6 micro-batches"), HasSubstr("7"))));
}

}  // namespace
}  // namespace vlmark::recipe
