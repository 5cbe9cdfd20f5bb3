// Inputs that once ended the program, ran without end or asked for any amount of memory; most were
// found by tests/fuzz.
#include <fstream>

#include "src/base/error.hpp"
#include "src/io/checkpoint.hpp"
#include "src/io/hf_config.hpp"
#include "src/io/hf_processing.hpp"
#include "tests/io/support.hpp"

namespace vlmark::test {
namespace {

class HostileFile : public testing::Test {
 protected:
  std::filesystem::path file(const std::string& name, const std::string& bytes) {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return folder_ / name;
  }
  /// A 2B model with other `fields` besides.
  std::filesystem::path config(const std::string& fields, const std::string& layers = "28") {
    return file("config.json",
                R"({"model_type": "qwen2_vl", "rope_scaling": {"type": "mrope",
                "mrope_section": [16, 24, 24]}, "hidden_size": 1536, "num_attention_heads": 12,
                "num_key_value_heads": 2, "intermediate_size": 8960, "vocab_size": 151936,
                "vision_config": {"hidden_size": 1536}, "num_hidden_layers": )" +
                    layers + fields + "}");
  }
  void expect_refused(const std::string& fields, const std::vector<std::string>& parts) {
    expect_error<ConfigError>([&] { io::read_hf_config(config(fields)); }, parts);
  }

  TemporaryFolder folder_;
};

/// Comparing and printing values calls itself for each level.
TEST_F(HostileFile, JsonNestedWithoutEnd) {
  const std::string nest = std::string(200'000, '[') + std::string(200'000, ']');
  EXPECT_NO_THROW(io::read_hf_config(config("")));
  const auto path = config(R"(, "hidden_act": )" + nest);
  expect_error<IoError>([&] { io::read_hf_config(path); }, {"nested more than 64 deep"});
  expect_error<IoError>([&] { io::read_generation_config(path, {}); }, {"nested"});
  expect_error<IoError>([&] { io::read_preprocessor_config(path, {}); }, {"nested"});
  file("model.safetensors.index.json", R"({"weight_map": {"a": )" + nest + "}}");
  expect_error<IoError>([&] { io::Checkpoint(folder_.path()); }, {"nested"});
}

TEST_F(HostileFile, AnErrorShowsTheBeginOfALongValue) {
  try {
    io::read_hf_config(config(R"(, "hidden_act": ")" + std::string(100'000, 'x') + "\""));
    ADD_FAILURE() << "nothing was thrown";
  } catch (const ConfigError& e) {
    EXPECT_THAT(e.what(), testing::HasSubstr("hidden_act: \"xxxx"));
    EXPECT_LT(std::string(e.what()).size(), 1000u);
  }
}

TEST_F(HostileFile, IdsBeyondAnInt) {
  // 2^32 + 151645 once became the right id.
  expect_refused(R"(, "eos_token_id": [4295118941])", {"eos_token_id: [4295118941]"});
  const auto model = plan::model_preset("2B");
  for (const char* ids : {"4295118941", "[4295118941]", "1e300"})
    expect_error<ConfigError>(
        [&] {
          io::read_generation_config(
              file("g.json", R"({"eos_token_id": )" + std::string(ids) + "}"), model);
        },
        {"eos_token_id: "});
  EXPECT_EQ(io::read_hf_config(config(R"(, "eos_token_id": [151645.0])")).eos_id, 151645);
}

TEST_F(HostileFile, AModelOfAnySize) {
  expect_error<ConfigError>([&] { io::read_hf_config(config("", "2000000000")); },
                            {"num_hidden_layers: 2000000000 is above 2048"});
  expect_refused(R"(, "rms_norm_eps": 1e300)", {"rms_norm_eps: inf must be positive and finite"});
  expect_refused(R"(, "rope_theta": 1e39)", {"rope_theta: inf"});
  expect_refused(R"(, "max_position_embeddings": 0)", {"max_position_embeddings: 0"});
}

TEST_F(HostileFile, AFileNameThatNoSystemTakes) {
  file("model.safetensors.index.json",
       R"({"weight_map": {"a": ")" + std::string(5000, 'n') + "\"}}");
  expect_error<IoError>([&] { io::Checkpoint(folder_.path()); }, {"1 are missing", "nnnn"});
}

}  // namespace
}  // namespace vlmark::test
