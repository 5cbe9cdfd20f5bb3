// Greedy tokens with a KV cache equal PyTorch's, which has none.

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "src/infer/greedy.hpp"
#include "tests/golden/golden_data.hpp"

namespace vlmark::test {
namespace {

struct GreedyCase {
  std::filesystem::path model;
  std::string name;
  std::vector<int> tokens;
  std::vector<double> margins;
};

std::vector<GreedyCase> greedy_cases() {
  std::vector<GreedyCase> cases;
  for (const auto& model : golden_models_with("greedy.json")) {
    const auto stored = nlohmann::json::parse(std::ifstream(model / "greedy.json"));
    for (const auto& [name, c] : stored.items())
      cases.push_back({model, name, c.at("tokens"), c.at("margins")});
  }
  return cases;
}

class GoldenGreedy : public testing::TestWithParam<GreedyCase> {
 protected:
  std::vector<int> generate(DType type) const {
    const GreedyCase& c = GetParam();
    const plan::ModelConfig config = golden_config(c.model);
    const model::Qwen2VL model(config);
    const auto engine = engine::make_inference_engine(model, type);
    engine->set_parameters(golden_weights(c.model));
    const GoldenTensors stored(c.model / (c.name + ".safetensors"));
    return infer::generate_greedy(*engine, golden_sequences(stored, config).at(0), config,
                                  static_cast<int>(c.tokens.size()), {})
        .tokens;
  }
};

TEST_P(GoldenGreedy, TokensAreEqualInFp32) { EXPECT_EQ(generate(DType::f32), GetParam().tokens); }

TEST_P(GoldenGreedy, TokensAreEqualInBf16UpToTheFirstSmallMargin) {
  const GreedyCase& c = GetParam();
  const std::vector<int> tokens = generate(DType::bf16);
  for (std::size_t i = 0; i < c.tokens.size() && c.margins[i] >= 0.1; ++i)
    ASSERT_EQ(tokens.at(i), c.tokens[i]) << "at " << i;
}

const auto by_label = [](const auto& c) {
  const GoldenCase golden{c.param.model, c.param.name};
  return golden.label();
};
INSTANTIATE_TEST_SUITE_P(Cases, GoldenGreedy, testing::ValuesIn(greedy_cases()), by_label);

}  // namespace
}  // namespace vlmark::test
