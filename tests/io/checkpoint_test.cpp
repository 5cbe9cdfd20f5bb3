#include "src/io/checkpoint.hpp"

#include <cstring>

#include "src/base/error.hpp"
#include "tests/io/support.hpp"
#include "tests/io/writers.hpp"

namespace vlmark::test {
namespace {

using io::Checkpoint;
using io::TensorType;

const std::vector<float> kValues(64, 0.5f);

io::TensorView source(const std::string& name, std::vector<std::int64_t> shape) {
  const std::uint64_t bytes = io::TensorSpec{name, TensorType::f32, shape}.bytes();
  return {name, TensorType::f32, std::move(shape), std::as_bytes(std::span(kValues)).first(bytes)};
}

std::vector<io::ExpectedTensor> expected_of(const Checkpoint& checkpoint) {
  std::vector<io::ExpectedTensor> expected;
  for (const auto& name : checkpoint.names())
    expected.push_back({name, checkpoint.tensor(name).shape});
  return expected;
}

TEST(Checkpoint, CanonicalNamesOfEveryVersion) {
  const std::pair<const char*, const char*> names[] = {
      {"model.layers.0.mlp.up_proj.weight", "model.layers.0.mlp.up_proj.weight"},
      {"model.language_model.layers.0.mlp.up_proj.weight", "model.layers.0.mlp.up_proj.weight"},
      {"language_model.norm.weight", "model.norm.weight"},
      {"model.visual.merger.ln_q.bias", "visual.merger.ln_q.bias"},
      {"visual.merger.ln_q.bias", "visual.merger.ln_q.bias"},
      {"lm_head.weight", "lm_head.weight"},
      {"model.visualise.x", "model.visualise.x"}};
  for (const auto& [stored, canonical] : names)
    EXPECT_EQ(io::canonical_tensor_name(stored), canonical);
}

TEST(Checkpoint, ReadsGoldenModels) {
  const Checkpoint single(golden_folder() / "tiny");
  EXPECT_TRUE(single.contains("lm_head.weight"));
  const Checkpoint sharded(golden_folder() / "tiny-tied");
  EXPECT_FALSE(sharded.contains("lm_head.weight"));
  EXPECT_EQ(sharded.bytes(), 4864512u);  // metadata.total_size of its index
  EXPECT_EQ(sharded.tensor("model.embed_tokens.weight").shape,
            (std::vector<std::int64_t>{640, 256}));
  EXPECT_EQ(sharded.file_of("model.embed_tokens.weight").filename(),
            "model-00001-of-00002.safetensors");
  EXPECT_NO_THROW(single.check(expected_of(single)));
  EXPECT_NO_THROW(sharded.check(expected_of(sharded)));
}

TEST(Checkpoint, RoundTripsInShards) {
  const TemporaryFolder folder;
  const Checkpoint original(golden_folder() / "tiny-tied");
  std::vector<io::TensorView> sources;
  for (const auto& name : original.names()) sources.push_back(original.tensor(name));
  for (const std::uint64_t shard_bytes : {500'000u, 5'000'000u, 1u, 2'000'000u}) {
    write_checkpoint(folder.path(), sources, shard_bytes);
    const Checkpoint copy(folder.path());  // both forms at once would be refused
    EXPECT_EQ(copy.names(), original.names());
    for (const auto& name : copy.names()) {
      const auto a = original.tensor(name).data, b = copy.tensor(name).data;
      ASSERT_TRUE(a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size()) == 0) << name;
    }
  }
  EXPECT_TRUE(std::filesystem::exists(folder / "model-00003-of-00003.safetensors"));
}

TEST(Checkpoint, ReadsTheNamesOfLaterVersions) {
  const TemporaryFolder folder;
  write_checkpoint(folder.path(), {source("model.language_model.norm.weight", {4}),
                                   source("model.visual.merger.ln_q.bias", {2})});
  EXPECT_EQ(Checkpoint(folder.path()).names(),
            (std::vector<std::string>{"model.norm.weight", "visual.merger.ln_q.bias"}));
  write_checkpoint(folder.path(),
                   {source("language_model.norm.weight", {4}), source("model.norm.weight", {4})});
  expect_error<IoError>([&] { Checkpoint checkpoint(folder.path()); },
                        {"'model.norm.weight'", "'language_model.norm.weight'", "same weight"});
}

TEST(Checkpoint, NamesEveryTensorThatDoesNotFit) {
  const TemporaryFolder folder;
  write_checkpoint(folder.path(), {source("a", {2, 3}), source("b", {4}),
                                   source("model.visual.c", {1}), source("lm_head.weight", {8})});
  const Checkpoint checkpoint(folder.path());
  const auto file = (folder / "model.safetensors").string();
  expect_error<IoError>(
      [&] {
        checkpoint.check({{"a", {3, 2}}, {"d", {5}}, {"e", {}}, {"lm_head.weight", {8}}});
      },
      {"in 5 tensors", "missing: 'd' [5]", "missing: 'e' []", "unexpected: 'b' [4] in " + file,
       "unexpected: 'model.visual.c' [1] in " + file,
       "wrong shape: 'a' has [2, 3] in " + file + " (expected [3, 2])"});
  expect_error<ShapeError>(
      [&] {
        checkpoint.check({{"a", {3, 2}}, {"b", {5}}, {"visual.c", {1}}});
      },
      {"in 2 tensors", "'a' has [2, 3]", "'b' has [4]", "(expected [5])"});
}

TEST(Checkpoint, TiedHeads) {
  const TemporaryFolder folder;
  write_checkpoint(folder.path(), {source("a", {2}), source("lm_head.weight", {8})});
  EXPECT_NO_THROW(Checkpoint(folder.path()).check({{"a", {2}}}));  // the embedding counts
  write_checkpoint(folder.path(), {source("a", {2})});
  expect_error<IoError>(
      [&] {
        Checkpoint(folder.path()).check({{"a", {2}}, {"lm_head.weight", {8}}});
      },
      {"missing: 'lm_head.weight' [8]", "tie_word_embeddings is false"});
}

TEST(Checkpoint, RefusesIntegerWeights) {
  const TemporaryFolder folder;
  auto tensor = source("a", {2});
  tensor.type = TensorType::i32;
  write_checkpoint(folder.path(), {tensor});
  expect_error<IoError>([&] { Checkpoint(folder.path()).check({{"a", {2}}}); }, {"'a' is I32"});
}

TEST(Checkpoint, RefusesWhatIsNoCheckpoint) {
  const TemporaryFolder folder;
  expect_error<IoError>([&] { Checkpoint c(folder.path()); }, {"holds no checkpoint"});
  expect_error<IoError>([&] { Checkpoint c("/nowhere"); }, {"/nowhere: holds no checkpoint"});
  write_checkpoint(folder.path(), {source("a", {2})});
  io::write_text_file(folder / "model.safetensors.index.json", "{}");
  expect_error<IoError>([&] { Checkpoint c(folder.path()); }, {"holds both"});
  std::filesystem::remove(folder / "model.safetensors");
  expect_error<IoError>([&] { Checkpoint c(folder.path()); }, {"index.json", "'weight_map'"});
  io::write_text_file(folder / "model.safetensors.index.json", R"({"weight_map":{"a":"../x"}})");
  expect_error<IoError>([&] { Checkpoint c(folder.path()); }, {"'a' is in \"../x\""});
  expect_error<IoError>([&] { write_checkpoint("/proc/x", {source("a", {2})}); },
                        {"/proc/x", "cannot be written"});
}

TEST(Checkpoint, NamesEveryMissingShardAndDisagreement) {
  const TemporaryFolder folder;
  const auto index = folder / "model.safetensors.index.json";
  write_checkpoint(folder.path(), {source("a", {2}), source("b", {2}), source("c", {2})}, 8);
  const auto text = io::read_text_file(index);
  std::filesystem::remove(folder / "model-00001-of-00003.safetensors");
  std::filesystem::remove(folder / "model-00003-of-00003.safetensors");
  expect_error<IoError>([&] { Checkpoint c(folder.path()); },
                        {"3 shards, of which 2 are missing", "model-00001-of-00003.safetensors",
                         "model-00003-of-00003.safetensors"});
  write_checkpoint(folder.path(), {source("a", {2}), source("b", {2})}, 8);
  io::write_text_file(index, R"({"weight_map":{"a":"model-00001-of-00002.safetensors",
                                 "z":"model-00002-of-00002.safetensors"}})");
  expect_error<IoError>([&] { Checkpoint c(folder.path()); },
                        {"'z' is not in model-00002", "'b' is in model-00002", "not in the index"});
  io::write_text_file(index, R"({"weight_map":{"a":"model-00002-of-00002.safetensors",
                                 "b":"model-00001-of-00002.safetensors"}})");
  expect_error<IoError>([&] { Checkpoint c(folder.path()); },
                        {"'a' is in model-00001-of-00002.safetensors, not in model-00002"});
}

}  // namespace
}  // namespace vlmark::test
