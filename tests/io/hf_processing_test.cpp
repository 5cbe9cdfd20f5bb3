#include "src/io/hf_processing.hpp"

#include "src/base/error.hpp"
#include "src/io/file.hpp"
#include "tests/io/support.hpp"

namespace vlmark::test {
namespace {

const auto kModel = plan::model_preset("7B");

class HfProcessing : public testing::Test {
 protected:
  std::filesystem::path file(const std::string& text) {
    io::write_text_file(folder_ / "x.json", text);
    return folder_ / "x.json";
  }
  TemporaryFolder folder_;
};

TEST_F(HfProcessing, GenerationRoundTrips) {
  auto config = io::generation_config_of(kModel);
  EXPECT_EQ(config, io::GenerationConfig{});
  config.temperature = 0.1;
  config.top_p = 0.001;
  config.top_k = 1;
  config.do_sample = true;
  config.repetition_penalty = 1.05;
  io::write_generation_config(folder_ / "x.json", config);
  EXPECT_EQ(io::read_generation_config(folder_ / "x.json", kModel), config);
}

TEST_F(HfProcessing, GenerationTakesTheIdsOfItsModel) {
  const auto nano = plan::model_preset("nano");
  EXPECT_EQ(io::read_generation_config(file("{}"), nano).eos_ids, (std::vector{514, 512}));
  EXPECT_EQ(io::read_generation_config(file(R"({"eos_token_id": 3})"), nano).eos_ids,
            std::vector{3});
  expect_error<ConfigError>(
      [&] { io::read_generation_config(file(R"({"eos_token_id": [600], "top_k": "a"})"), nano); },
      {"2 problems", "600 is outside the vocabulary of 544", "top_k: \"a\""});
}

TEST_F(HfProcessing, PreprocessorRoundTrips) {
  io::PreprocessorConfig config{.min_pixels = 784, .max_pixels = 50176};
  config.mean = {0.5, 0.25, 0.125};
  io::write_preprocessor_config(folder_ / "x.json", config, kModel.vision);
  EXPECT_EQ(io::read_preprocessor_config(folder_ / "x.json", kModel.vision), config);
}

TEST_F(HfProcessing, PreprocessorReadsBothSpellings) {
  const auto read = [&](const std::string& text) {
    return io::read_preprocessor_config(file(text), kModel.vision);
  };
  // As transformers 4.57 saves it.
  const auto later = read(
      R"({"size": {"shortest_edge": 784, "longest_edge": 1568}, "do_resize": true, "resample": 3,
          "rescale_factor": 0.00392156862745098, "patch_size": 14, "min_pixels": null})");
  EXPECT_EQ(later.min_pixels, 784);
  EXPECT_EQ(later.max_pixels, 1568);
  EXPECT_EQ(later.mean, io::PreprocessorConfig{}.mean);
  EXPECT_EQ(read(R"({"max_pixels": 12845056})").max_pixels, 12845056);
  EXPECT_EQ(read("{}").max_pixels, 1003520);
}

TEST_F(HfProcessing, PreprocessorRefusesAllAtOnce) {
  const auto read = [&] {
    io::read_preprocessor_config(
        file(R"({"min_pixels": 5000, "max_pixels": 4000, "patch_size": 16, "merge_size": 4,
                 "do_normalize": false, "resample": 2, "rescale_factor": 1.0,
                 "image_mean": [0.5], "image_std": [0.5, 0, 0.5]})"),
        kModel.vision);
  };
  expect_error<ConfigError>(read, {"5000", "4000", "patch_size: 16", "only 14", "merge_size: 4",
                                   "do_normalize: false", "resample: 2", "rescale_factor",
                                   "image_mean: [0.5]", "image_std: 0.000000 must be positive"});
}

}  // namespace
}  // namespace vlmark::test
