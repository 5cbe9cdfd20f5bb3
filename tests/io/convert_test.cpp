#include "src/io/convert.hpp"

#include <cstring>
#include <set>

#include "src/base/error.hpp"
#include "src/io/hf_config.hpp"
#include "src/io/tensor_values.hpp"
#include "tests/io/support.hpp"
#include "tests/io/writers.hpp"

namespace vlmark::test {
namespace {

using io::Checkpoint;
using io::Conversion;
using io::TensorNames;

namespace fs = std::filesystem;

std::set<std::string> files_of(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder))
    names.insert(entry.path().filename().string());
  return names;
}

/// Every file of `copy` equals the one of the same name in `original`, byte for byte.
void expect_same_files(const fs::path& original, const fs::path& copy) {
  for (const auto& name : files_of(copy))
    EXPECT_TRUE(io::read_text_file(original / name) == io::read_text_file(copy / name)) << name;
}

void expect_same_values(const Checkpoint& a, const Checkpoint& b) {
  ASSERT_EQ(a.names(), b.names());
  for (const auto& name : a.names()) {
    EXPECT_EQ(a.tensor(name).shape, b.tensor(name).shape) << name;
    EXPECT_EQ(io::to_doubles(a.tensor(name)), io::to_doubles(b.tensor(name))) << name;
  }
}

/// A copy of a golden model without its cases.
void copy_model(const std::string& name, const fs::path& to) {
  io::convert_model_folder(golden_folder() / name, to, {});
}

TEST(Convert, CopiesByteForByteWhereNothingChanges) {
  const TemporaryFolder folder;
  for (const std::string name : {"tiny", "tiny-tied"}) {
    const auto original = golden_folder() / name;
    copy_model(name, folder / name);
    EXPECT_TRUE(files_of(folder / name).contains("config.json"));
    std::set<std::string> weights = files_of(folder / name);
    weights.erase("config.json");
    if (name == "tiny") {
      EXPECT_EQ(weights, std::set<std::string>{"model.safetensors"});
    } else {
      EXPECT_EQ(weights, (std::set<std::string>{"model-00001-of-00002.safetensors",
                                                "model-00002-of-00002.safetensors",
                                                "model.safetensors.index.json"}));
      // The golden script lays its index out in another way.
      fs::remove(folder / name / "model.safetensors.index.json");
    }
    expect_same_files(original, folder / name);
  }
}

TEST(Convert, ThereAndBackInEveryStyleIsByteForByte) {
  const TemporaryFolder folder;
  for (const std::string name : {"tiny", "tiny-tied"}) {
    copy_model(name, folder / name);
    for (const TensorNames names : {TensorNames::nested, TensorNames::bare}) {
      if (names == TensorNames::bare && name == "tiny") continue;  // its head has no bare name
      const auto there = folder / "there", back = folder / "back";
      io::convert_model_folder(folder / name, there, {.names = names});
      const Checkpoint stored(there);
      expect_same_values(stored, Checkpoint(folder / name));
      const std::string prefix = names == TensorNames::nested ? "model." : "";
      EXPECT_EQ(stored.tensor("model.norm.weight").name, prefix + "language_model.norm.weight");
      EXPECT_EQ(stored.tensor("visual.merger.ln_q.bias").name, prefix + "visual.merger.ln_q.bias");
      io::convert_model_folder(there, back, {.names = TensorNames::original});
      expect_same_files(folder / name, back);
      EXPECT_EQ(files_of(folder / name), files_of(back));
      fs::remove_all(there);
      fs::remove_all(back);
    }
  }
}

TEST(Convert, OneFileInManyAndBackIsByteForByte) {
  const TemporaryFolder folder;
  const auto original = golden_folder() / "tiny";
  for (const auto& [bytes, files] : {std::pair(200'000ull, 28u), std::pair(5'000'000'000ull, 1u)}) {
    io::convert_model_folder(original, folder / "many",
                             {.names = TensorNames::nested, .shard_bytes = bytes});
    EXPECT_EQ(Checkpoint(folder / "many").files().size(), files);
    io::convert_model_folder(folder / "many", folder / "one",
                             {.names = TensorNames::original, .shard_bytes = 1'000'000'000'000});
    expect_same_files(original, folder / "one");
    fs::remove_all(folder / "many");
    fs::remove_all(folder / "one");
  }
}

TEST(Convert, WideningKeepsEveryBitAndTheConfigSaysSo) {
  const TemporaryFolder folder;
  copy_model("tiny", folder / "narrow");
  const auto dtype = [&](const char* name, const char* value) {
    return testing::HasSubstr(std::string("\"") + name + "\": \"" + value + "\"");
  };
  const auto original = io::read_text_file(folder / "narrow/config.json");
  EXPECT_THAT(original, dtype("torch_dtype", "bfloat16"));
  io::convert_model_folder(folder / "narrow", folder / "wide", {.type = DType::f32});
  EXPECT_THAT(io::read_text_file(folder / "wide/config.json"), dtype("torch_dtype", "float32"));
  EXPECT_EQ(Checkpoint(folder / "wide").bytes(), 2 * Checkpoint(folder / "narrow").bytes());
  EXPECT_EQ(io::stored_precision(Checkpoint(folder / "wide")), DType::f32);
  expect_same_values(Checkpoint(folder / "wide"), Checkpoint(folder / "narrow"));
  io::convert_model_folder(folder / "wide", folder / "back", {.type = DType::bf16});
  EXPECT_TRUE(io::read_text_file(folder / "back/model.safetensors") ==
              io::read_text_file(folder / "narrow/model.safetensors"));
  EXPECT_EQ(io::stored_precision(Checkpoint(folder / "back")), DType::bf16);
}

TEST(Convert, SetsTheTypeWhereverAConfigNamesIt) {
  const TemporaryFolder folder;
  copy_model("tiny-tied", folder / "a");
  const auto nested = io::read_text_file(foreign_file("config-4.57-tiny-tied.json"));
  io::write_text_file(folder / "a/config.json", nested);
  io::convert_model_folder(folder / "a", folder / "b", {.type = DType::f32});
  const auto text = io::read_text_file(folder / "b/config.json");
  EXPECT_THAT(nested, testing::HasSubstr("bfloat16"));
  EXPECT_THAT(text, testing::Not(testing::HasSubstr("bfloat16")));
  EXPECT_EQ(io::read_hf_config(folder / "b/config.json").layers,
            io::read_hf_config(folder / "a/config.json").layers);
}

TEST(Convert, TakesTheOtherFilesOfAModelAlong) {
  const TemporaryFolder folder;
  copy_model("tiny", folder / "a");
  for (const char* name : {"tokenizer.json", "chat_template.jinja", "generation_config.json"})
    io::write_text_file(folder / "a" / name, std::string("content of ") + name);
  io::write_text_file(folder / "a/pytorch_model.bin", "no file of ours");
  fs::create_directory(folder / "b");  // an empty folder will do
  io::convert_model_folder(folder / "a", folder / "b", {.names = TensorNames::nested});
  EXPECT_EQ(files_of(folder / "b"),
            (std::set<std::string>{"chat_template.jinja", "config.json", "generation_config.json",
                                   "model.safetensors", "tokenizer.json"}));
  fs::remove(folder / "b/model.safetensors");
  expect_same_files(folder / "a", folder / "b");
}

TEST(Convert, KeepsMetadataAndATiedHeadThatIsStored) {
  const TemporaryFolder folder;
  copy_model("tiny-tied", folder / "a");
  std::vector<io::TensorView> tensors;
  const Checkpoint original(golden_folder() / "tiny-tied");
  for (const auto& name : original.names()) tensors.push_back(original.tensor(name));
  tensors.push_back(original.tensor("model.embed_tokens.weight"));
  tensors.back().name = "lm_head.weight";
  for (const auto& name : files_of(folder / "a"))
    if (name != "config.json") fs::remove(folder / "a" / name);
  write_safetensors(folder / "a/model.safetensors", tensors, {{"format", "pt"}, {"who", "me"}});
  io::convert_model_folder(folder / "a", folder / "b",
                           {.names = TensorNames::nested, .shard_bytes = 300'000});
  io::convert_model_folder(folder / "b", folder / "c",
                           {.names = TensorNames::original, .shard_bytes = 1'000'000'000});
  expect_same_files(folder / "a", folder / "c");
  expect_error<ValueError>(
      [&] { io::convert_model_folder(folder / "a", folder / "d", {.names = TensorNames::bare}); },
      {"lm_head.weight", "bare model class", "Choose original or nested"});
  EXPECT_FALSE(fs::exists(folder / "d"));
}

TEST(Convert, RefusesWhatWouldLoseSomething) {
  const TemporaryFolder folder;
  copy_model("tiny", folder / "a");
  expect_error<IoError>([&] { io::convert_model_folder(folder / "a", folder / "a", {}); },
                        {"/a: is not empty", "Choose another folder"});
  expect_error<IoError>(
      [&] { io::convert_model_folder(folder / "a", folder / "a/config.json", {}); },
      {"config.json: is no folder"});
  expect_error<IoError>([&] { io::convert_model_folder(folder / "absent", folder / "b", {}); },
                        {"absent/config.json: cannot be opened"});
  EXPECT_FALSE(fs::exists(folder / "b"));
  EXPECT_EQ(Checkpoint(folder / "a").names().size(), 94u);

  // The weights of one model beside the config of another.
  io::write_text_file(folder / "a/config.json",
                      io::read_text_file(golden_folder() / "tiny-tied/config.json"));
  expect_error<IoError>([&] { io::convert_model_folder(folder / "a", folder / "b", {}); },
                        {"does not fit the model's config.json", "wrong shape"});
}

TEST(Convert, RefusesAValueThatTheNewTypeCannotHold) {
  const TemporaryFolder folder;
  io::convert_model_folder(golden_folder() / "tiny", folder / "wide", {.type = DType::f32});
  std::vector<io::TensorView> tensors;
  const Checkpoint wide(folder / "wide");
  for (const auto& name : wide.names()) tensors.push_back(wide.tensor(name));
  auto gains = io::to_floats(wide.tensor("model.norm.weight"));
  gains[5] = 3.4e38f;  // finite, and beyond bf16's largest value of 3.39e38
  for (auto& tensor : tensors)
    if (tensor.name == "model.norm.weight") tensor.data = std::as_bytes(std::span(gains));
  fs::create_directory(folder / "large");
  fs::copy_file(folder / "wide/config.json", folder / "large/config.json");
  write_safetensors(folder / "large/model.safetensors", tensors);
  EXPECT_NO_THROW(io::convert_model_folder(folder / "large", folder / "same", {}));
  expect_error<ValueError>(
      [&] { io::convert_model_folder(folder / "large", folder / "narrow", {.type = DType::bf16}); },
      {"large/model.safetensors: element 5 of 'model.norm.weight' is inf"});
  EXPECT_TRUE(files_of(folder / "narrow").empty());
}

}  // namespace
}  // namespace vlmark::test
