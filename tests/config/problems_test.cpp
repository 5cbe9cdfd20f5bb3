#include <gmock/gmock.h>

#include <cmath>

#include "src/base/error.hpp"
#include "src/config/run_config.hpp"

namespace vlmark::config {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> after(void (*change)(RunConfig&)) {
  RunConfig config;
  change(config);
  return problems(config);
}

TEST(Problems, DefaultsAreValid) { EXPECT_THAT(problems(RunConfig{}), IsEmpty()); }

TEST(Problems, NamesKeyValueAndRange) {
  EXPECT_THAT(after([](RunConfig& c) { c.train.beta2 = 1; }),
              ElementsAre("train.beta2: 1 is out of range (AdamW). Use a value from 0 to below 1"));
  EXPECT_THAT(after([](RunConfig& c) { c.train.stage = 4; }),
              ElementsAre(AllOf(HasSubstr("train.stage: 4 "), HasSubstr("from 1 to 3"))));
  EXPECT_THAT(after([](RunConfig& c) { c.train.clip_norm = 0; }),
              ElementsAre(AllOf(HasSubstr("train.clip_norm: 0 "), HasSubstr("above 0"))));
  EXPECT_THAT(
      after([](RunConfig& c) { c.parallel.offline_interval = 0; }),
      ElementsAre(AllOf(HasSubstr("parallel.offline_interval: 0 "), HasSubstr("at least 1"))));
  EXPECT_THAT(after([](RunConfig& c) { c.model.seed = -1; }),
              ElementsAre(AllOf(HasSubstr("model.seed: -1 "), HasSubstr("at least 0"))));
}

TEST(Problems, RefusesNanAndInfinity) {
  EXPECT_THAT(after([](RunConfig& c) { c.train.learning_rate = NAN; }),
              ElementsAre(HasSubstr("train.learning_rate: nan ")));
  EXPECT_THAT(after([](RunConfig& c) { c.train.weight_decay = INFINITY; }),
              ElementsAre(HasSubstr("train.weight_decay: inf ")));
}

TEST(Problems, RefusesEmptyText) {
  EXPECT_THAT(after([](RunConfig& c) { c.data.tokenizer = ""; }),
              ElementsAre(HasSubstr("data.tokenizer: is \"\"")));
}

TEST(Problems, NamesBothValuesOfAContradiction) {
  EXPECT_THAT(after([](RunConfig& c) { c.data.min_pixels = 20000; }),
              ElementsAre(HasSubstr("data.min_pixels: 20000 is above data.max_pixels = 12544")));
  EXPECT_THAT(after([](RunConfig& c) { c.train.attention = AttentionBackend::cudnn; }),
              ElementsAre(HasSubstr("train.attention: is cudnn and model.precision is fp32")));
  EXPECT_THAT(after([](RunConfig& c) { c.train.min_learning_rate = 0.5; }),
              ElementsAre(HasSubstr("0.5 is above train.learning_rate = 0.001")));
  EXPECT_THAT(
      after([](RunConfig& c) { c.model.folder = "checkpoint"; }),
      ElementsAre(HasSubstr("model.preset: is \"nano\" and model.folder is \"checkpoint\"")));
  EXPECT_THAT(after([](RunConfig& c) { c.model.preset = ""; }),
              ElementsAre(HasSubstr("exactly one of the two")));
  EXPECT_THAT(after([](RunConfig& c) { c.optimizer.state = DType::bf16; }),
              ElementsAre(HasSubstr("optimizer.state: is bf16 and model.precision is fp32")));
  EXPECT_THAT(after([](RunConfig& c) {
                c.model.precision = DType::bf16;
                c.optimizer.state = DType::i32;
              }),
              ElementsAre(HasSubstr("optimizer.state: is i32")));
  EXPECT_THAT(after([](RunConfig& c) { c.model.precision = DType::f64; }),
              ElementsAre(HasSubstr("model.precision: is fp64")));
}

TEST(Problems, SyntheticDocumentsHaveNoCaptionsAndNoTokenizer) {
  const auto synthetic = [](RunConfig& c) {
    c.data.kind = DataKind::synthetic;
    c.output.export_model = false;
  };
  EXPECT_THAT(after(synthetic), IsEmpty());
  RunConfig config;
  synthetic(config);
  config.control.grey = config.output.export_model = true;
  EXPECT_THAT(problems(config),
              ElementsAre(HasSubstr("control.captions: is false and control.grey is true, and "
                                    "data.kind is synthetic"),
                          HasSubstr("output.export: is true and data.kind is synthetic")));
  synthetic(config);
  config.control.grey = false;
  config.data.pictures = "448x448+x";
  EXPECT_THAT(problems(config),
              ElementsAre(HasSubstr("data.pictures: is \"448x448+x\" (it holds something that is "
                                    "no size)")));
  config.data.pictures = "448x448, 448x448+448x448";
  config.data.text_tokens = 5;
  EXPECT_THAT(problems(config), ElementsAre(HasSubstr("data.text_tokens: 5 is below 6 (a document "
                                                      "of 2 pictures")));
  config.data.kind = DataKind::captions;  // then nobody reads them
  EXPECT_THAT(problems(config), IsEmpty());
}

TEST(Problems, ACheckpointKeepsItsSize) {
  EXPECT_THAT(after([](RunConfig& c) {
                c.model.preset = "";
                c.model.folder = "checkpoint";
                c.model.layers = 2;
              }),
              ElementsAre(HasSubstr("model.layers: is 2, model.vision_depth 0 and "
                                    "model.vocabulary 0 beside model.folder")));
}

TEST(Problems, ShortRunKeepsLongWarmup) {
  // `--set train.steps=2` has to work on any description: the run then ends inside the warm-up.
  EXPECT_THAT(after([](RunConfig& c) { c.train.steps = 1; }), IsEmpty());
}

TEST(Problems, FindsAllAtOnce) {
  EXPECT_THAT(
      after([](RunConfig& c) {
        c.train.steps = 0;
        c.train.trace_steps = c.train.warmup_steps = 0;
        c.train.eps = -1;
        c.data.prompt = "";
      }),
      ElementsAre(HasSubstr("data.prompt"), HasSubstr("train.steps"), HasSubstr("train.eps")));
}

TEST(TrainSection, MergerGoesWithTheViTUnlessToldOtherwise) {
  const auto merger = [](int stage, std::optional<bool> choice) {
    TrainSection train;
    train.stage = stage;
    train.train_merger = choice;
    return train.trains_merger();
  };
  EXPECT_TRUE(merger(1, {}));
  EXPECT_TRUE(merger(2, {}));
  EXPECT_FALSE(merger(3, {}));
  EXPECT_FALSE(merger(1, false));
  EXPECT_TRUE(merger(3, true));
  TrainSection train;
  train.stage = 1;
  EXPECT_TRUE(train.trains_vit() && !train.trains_llm());
  train.stage = 3;
  EXPECT_TRUE(!train.trains_vit() && train.trains_llm());
}

}  // namespace
}  // namespace vlmark::config
