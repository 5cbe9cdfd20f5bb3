#include "src/plan/parameters.hpp"

#include <gmock/gmock.h>

#include <set>

#include "src/base/error.hpp"

namespace vlmark::plan {
namespace {

struct Expected {
  const char* preset;
  long parameters;
  std::size_t tensors;
};
class Presets : public testing::TestWithParam<Expected> {};

// Counts of the published checkpoints: model.safetensors.index.json of 2B says 4,417,971,200 byte
// of bf16, which is the first line to the byte.
TEST_P(Presets, HaveTheParametersOfThePublishedCheckpoints) {
  const ModelConfig model = model_preset(GetParam().preset);
  EXPECT_THAT(problems(model), testing::IsEmpty());
  const ParameterTable table(model);
  EXPECT_EQ(table.size(), GetParam().parameters);
  EXPECT_EQ(table.tensors.size(), GetParam().tensors);
  long held = 0;
  for (const Parameter& parameter : table.parameters) held += parameter.size();
  EXPECT_EQ(held, GetParam().parameters);
}

INSTANTIATE_TEST_SUITE_P(Sizes, Presets,
                         testing::Values(Expected{"2B", 2'208'985'600, 729},
                                         Expected{"7B", 8'291'375'616, 730},
                                         Expected{"72B", 73'405'560'320, 1354}));

TEST(Presets, NanoIsTheRealArchitectureOfFiveToTwentyMillion) {
  const ModelConfig nano = model_preset("nano");
  EXPECT_THAT(problems(nano), testing::IsEmpty());
  const long size = ParameterTable(nano).size();
  EXPECT_GT(size, 5'000'000);
  EXPECT_LT(size, 20'000'000);
  EXPECT_EQ(nano.head_dim(), 128);
  EXPECT_EQ(nano.vision.head_dim(), 80);
}

TEST(Presets, UnknownNameListsTheKnownOnes) {
  EXPECT_THAT([] { model_preset("3B"); },
              testing::ThrowsMessage<ConfigError>(testing::HasSubstr("nano, 2B, 7B, 72B")));
}

TEST(Parameters, StackedTensorsTileTheirParameter) {
  const ParameterTable table(model_preset("nano"));
  std::set<std::string> names;
  for (std::size_t p = 0; p < table.parameters.size(); ++p) {
    long end = 0;
    for (const int t : table.parameters[p].tensors) {
      const LogicalTensor& tensor = table.tensors[static_cast<std::size_t>(t)];
      EXPECT_EQ(tensor.parameter, static_cast<int>(p));
      EXPECT_EQ(tensor.offset, end);
      end += tensor.size();
      EXPECT_TRUE(names.insert(tensor.name).second) << tensor.name << " twice";
    }
    EXPECT_EQ(end, table.parameters[p].size());
  }
}

TEST(Parameters, TiedHeadIsTheEmbeddingAndHasNoTensorOfItsOwn) {
  const ParameterTable tied(model_preset("2B")), untied(model_preset("7B"));
  EXPECT_EQ(tied.head.weight, tied.embedding);
  EXPECT_NE(untied.head.weight, untied.embedding);
  EXPECT_EQ(untied.tensors.back().name, "lm_head.weight");
}

TEST(Problems, NamesEveryOneWithBothValues) {
  ModelConfig model = model_preset("nano");
  model.heads = 3;
  model.image_id = 10'000;
  EXPECT_THAT(problems(model),
              testing::IsSupersetOf({testing::HasSubstr("num_attention_heads: 3 does not divide"),
                                     testing::HasSubstr("image_token_id: 10000 is outside")}));
}

}  // namespace
}  // namespace vlmark::plan
