#include "src/io/hf_config.hpp"

#include <nlohmann/json.hpp>

#include "src/base/error.hpp"
#include "src/io/file.hpp"
#include "tests/io/support.hpp"

namespace vlmark::test {
namespace {

using Json = nlohmann::json;

/// The flat config of a preset as the hub writes it, to be changed by a test.
class HfConfig : public testing::Test {
 protected:
  HfConfig() { set(plan::model_preset("7B")); }
  void set(const plan::ModelConfig& model) {
    io::write_hf_config(folder_ / "config.json", model);
    json_ = Json::parse(io::read_text_file(folder_ / "config.json"));
  }
  plan::ModelConfig read() {
    io::write_text_file(folder_ / "config.json", json_.dump());
    return io::read_hf_config(folder_ / "config.json");
  }
  void expect_refused(const std::vector<std::string>& parts) {
    expect_error<ConfigError>([&] { read(); }, parts);
  }
  Json nested() const {  // as transformers 5 writes it
    Json text = json_, nested;
    for (const char* key : {"vision_config", "model_type", "vision_start_token_id",
                            "vision_end_token_id", "image_token_id", "video_token_id"}) {
      nested[key] = text[key];
      text.erase(key);
    }
    text["rope_parameters"] = text["rope_scaling"];
    text["rope_parameters"]["rope_theta"] = text["rope_theta"];
    text["rope_parameters"]["type"] = "default";
    text.erase("rope_scaling");
    text.erase("rope_theta");
    nested["text_config"] = text;
    return nested;
  }

  TemporaryFolder folder_;
  Json json_;
};

TEST_F(HfConfig, RoundTripsEveryPreset) {
  for (const auto& name : plan::model_preset_names()) {
    auto model = plan::model_preset(name);
    set(model);
    model.name = folder_.path().filename().string();
    EXPECT_EQ(read(), model) << name;
    json_ = nested();
    EXPECT_EQ(read(), model) << name << ", nested";
  }
}

TEST_F(HfConfig, RoundTripsUnusualValues) {
  auto model = plan::model_preset("nano");
  model.name = folder_.path().filename().string();
  model.rms_norm_eps = 3.7e-5f;
  model.rope_theta = 123456.789f;
  model.pad_id = 7;
  model.max_positions = 128000;
  model.vision.mlp_ratio = 2;
  set(model);
  EXPECT_EQ(read(), model);
  EXPECT_EQ(json_["rms_norm_eps"].dump(), "3.7e-05");  // not the digits of the float's double
  EXPECT_EQ(json_["architectures"], Json::array({"Qwen2VLForConditionalGeneration"}));
}

TEST_F(HfConfig, WritesWhatTransformersWouldFillIn) {
  auto model = plan::model_preset("nano");
  model.vision.norm_eps = 1e-5f;
  expect_error<ConfigError>([&] { io::write_hf_config(folder_ / "config.json", model); },
                            {"eps", "1e-6"});
}

TEST_F(HfConfig, ReadsGoldenConfigsInEveryLayout) {
  for (const std::string name : {"tiny", "tiny-tied"}) {
    auto model = io::read_hf_config(golden_folder() / name / "config.json");
    EXPECT_EQ(model.name, name);
    EXPECT_EQ(model.hidden, name == "tiny" ? 128 : 256);
    EXPECT_EQ(model.tied, name == "tiny-tied");
    EXPECT_EQ(model.mrope_section[1], name == "tiny" ? 6 : 24);
    EXPECT_EQ(model.bos_id, 632);
    EXPECT_EQ(model.pad_id, 632);
    EXPECT_EQ(model.video_id, 639);
    EXPECT_EQ(model.vision.head_dim(), 80);
    model.name = "data";
    EXPECT_EQ(io::read_hf_config(foreign_file("config-4.57-" + name + ".json")), model);
    EXPECT_EQ(io::read_hf_config(foreign_file("config-5.23-" + name + ".json")), model);
  }
}

TEST_F(HfConfig, FillsAbsentVisionKeys) {
  json_["vision_config"] = {
      {"model_type", "qwen2_vl"}, {"in_chans", 3}, {"spatial_patch_size", 14}};
  EXPECT_EQ(read().vision, plan::VisionConfig{});  // 7B: hidden_size 3584 is the default
  json_.erase("vision_config");
  EXPECT_EQ(read().vision, plan::VisionConfig{});
  json_["vision_config"] = {{"depth", nullptr}};
  EXPECT_EQ(read().vision.depth, 32);
  set(plan::model_preset("2B"));
  json_["vision_config"].erase("hidden_size");
  expect_refused({"vision_config.hidden_size: 3584", "hidden_size = 1536", "absent means 3584"});
}

TEST_F(HfConfig, FillsAbsentTextKeys) {
  for (const char* key :
       {"rms_norm_eps", "rope_theta", "tie_word_embeddings", "bos_token_id", "eos_token_id",
        "vision_start_token_id", "vision_end_token_id", "image_token_id", "video_token_id",
        "hidden_act", "use_sliding_window", "attention_dropout", "max_position_embeddings"})
    json_.erase(key);
  auto model = read();
  EXPECT_EQ(model.rms_norm_eps, 1e-5f);  // transformers' class, not the hub's value
  EXPECT_EQ(model.rope_theta, 1e6f);
  EXPECT_FALSE(model.tied);
  model.rms_norm_eps = 1e-6f;
  model.name = "7B";
  EXPECT_EQ(model, plan::model_preset("7B"));
}

TEST_F(HfConfig, FillsTextSizesOnlyInTheNestedLayout) {
  set(plan::model_preset("72B"));
  const std::vector<const char*> sizes = {"hidden_size",         "num_hidden_layers",
                                          "num_attention_heads", "num_key_value_heads",
                                          "intermediate_size",   "vocab_size"};
  Json flat = json_;
  json_ = nested();
  for (const char* key : sizes) json_["text_config"].erase(key), flat.erase(key);
  auto model = read();
  model.name = "72B";
  EXPECT_EQ(model, plan::model_preset("72B"));
  json_ = flat;
  expect_refused({"hidden_size: is absent", "num_hidden_layers: is absent",
                  "num_key_value_heads: is absent", "vocab_size: is absent"});
}

TEST_F(HfConfig, TakesMropeByItsSections) {
  for (const char* type : {"mrope", "default"}) {
    json_["rope_scaling"]["type"] = type;
    EXPECT_EQ(read().mrope_section, (std::array{16, 24, 24}));
  }
  json_["rope_scaling"].erase("type");
  EXPECT_NO_THROW(read());
  json_["rope_scaling"]["rope_type"] = "yarn";
  expect_refused({"rope_scaling.rope_type: \"yarn\" is not supported"});
  json_["rope_scaling"] = {{"type", "mrope"}};
  expect_refused({"mrope_section: is absent"});
  json_["rope_scaling"]["mrope_section"] = {16, 24, 25};
  expect_refused({"sums to 65", "64"});
  json_["rope_scaling"]["mrope_section"] = {16, 24};
  expect_refused({"[16,24]", "three whole numbers"});
  json_["rope_scaling"] = 3;
  expect_refused({"rope_scaling: 3 (expected an object)"});
  json_.erase("rope_scaling");
  expect_refused({"mrope_section: is absent"});
}

TEST_F(HfConfig, TakesAListOfEosIds) {
  json_["eos_token_id"] = {151645, 151643};
  EXPECT_EQ(read().eos_id, 151645);
  json_["eos_token_id"] = Json::array();
  expect_refused({"eos_token_id: []"});
  json_["eos_token_id"] = 200000;
  expect_refused({"eos_token_id: 200000", "152064"});
}

TEST_F(HfConfig, RefusesWhatIsNotSupportedAllAtOnce) {
  json_["model_type"] = "qwen2_5_vl";
  json_["hidden_act"] = "gelu";
  json_["use_sliding_window"] = true;
  json_["attention_dropout"] = 0.1;
  json_["vision_config"]["hidden_act"] = "silu";
  json_["vision_config"]["in_chans"] = 1;
  json_["layer_types"] = {"full_attention", "sliding_attention"};
  json_["quantization_config"] = {{"bits", 4}};
  json_["num_attention_heads"] = 27;
  json_["tie_word_embeddings"] = "yes";
  expect_refused({folder_.path().string() + "/config.json: describes no model",
                  "model_type: \"qwen2_5_vl\" (only \"qwen2_vl\"", "hidden_act: \"gelu\"",
                  "only \"silu\"", "use_sliding_window: true", "attention_dropout: 0.1",
                  "vision_config.hidden_act: \"silu\" is not supported (only \"quick_gelu\"",
                  "vision_config.in_chans: 1", "\"sliding_attention\"", "quantization_config",
                  "27 does not divide", "tie_word_embeddings: \"yes\""});
  json_["vocab_size"] = 1.5;
  expect_refused({"vocab_size: 1.5 (expected a whole number"});
  json_.erase("model_type");
  expect_refused({"model_type: is absent"});
}

TEST_F(HfConfig, ReadsTheTieAtEitherLevel) {
  json_ = nested();
  for (const bool tied : {false, true})
    for (const bool inner : {false, true}) {
      json_.erase("tie_word_embeddings");
      json_["text_config"].erase("tie_word_embeddings");
      (inner ? json_["text_config"] : json_)["tie_word_embeddings"] = tied;
      EXPECT_EQ(read().tied, tied) << inner;
    }
  json_["tie_word_embeddings"] = false;  // the text says true
  expect_refused({"text_config.tie_word_embeddings: true but tie_word_embeddings is false"});
}

TEST_F(HfConfig, IgnoresWhatDoesNotTouchArithmetic) {
  const auto expected = read();
  json_ = nested();
  json_["torch_dtype"] = "float16";  // the tensors tell their types themselves
  json_["text_config"]["dtype"] = "bfloat16";
  json_["text_config"]["model_type"] = "qwen2_vl_text";
  json_["vision_config"]["dtype"] = nullptr;
  json_["vision_config"]["initializer_range"] = 0.02;
  json_["transformers_version"] = "99.0";
  json_["_name_or_path"] = "somewhere";
  json_["vision_token_id"] = 151654;
  json_["auto_map"] = {{"AutoModel", "x.Y"}};
  EXPECT_EQ(read(), expected);
}

TEST_F(HfConfig, RefusesTwoAnswers) {
  json_["text_config"] = {{"hidden_size", 1024}};
  expect_refused({"text_config.hidden_size: 1024 but hidden_size is 3584"});
}

TEST_F(HfConfig, RefusesBrokenFiles) {
  const auto file = folder_ / "config.json";
  expect_error<IoError>([] { io::read_hf_config("/nowhere/config.json"); },
                        {"/nowhere/config.json"});
  io::write_text_file(file, "{\"hidden_size\": ");
  expect_error<IoError>([&] { io::read_hf_config(file); }, {file.string(), "not valid JSON"});
  io::write_text_file(file, R"({"a": 1, "a": 2})");
  expect_error<IoError>([&] { io::read_hf_config(file); }, {"'a' stands twice"});
  io::write_text_file(file, "[1]");
  expect_error<ConfigError>([&] { io::read_hf_config(file); }, {"not a JSON object"});
}

}  // namespace
}  // namespace vlmark::test
