#include "src/io/model_folder.hpp"

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "src/base/error.hpp"
#include "src/base/memory.hpp"
#include "src/io/convert.hpp"
#include "src/io/hf_config.hpp"
#include "src/io/tensor_values.hpp"
#include "tests/io/support.hpp"
#include "tests/io/writers.hpp"

namespace vlmark::test {
namespace {

using io::Checkpoint;
using io::TensorNames;

namespace fs = std::filesystem;
using Json = nlohmann::json;

/// Weights that name themselves: no two tensors begin with the same numbers.
io::VisitWeights numbered(const plan::ParameterTable& table) {
  return [&table](const plan::TensorVisit& take) {
    float next = 0;
    for (const plan::LogicalTensor& tensor : table.tensors)
      for (long first = 0; first < tensor.size(); first += 1000) {
        std::vector<float> values(static_cast<std::size_t>(std::min(1000L, tensor.size() - first)));
        for (float& value : values) value = next = std::fmod(next + 1, 251.0f);
        take(tensor, first, values);
      }
  };
}

plan::ModelConfig config_of(const std::string& golden) {
  return io::read_hf_config(golden_folder() / golden / "config.json");
}

std::vector<float> all_values(const plan::TensorFill& fill, const plan::ParameterTable& table) {
  std::vector<float> all;
  for (const plan::LogicalTensor& tensor : table.tensors) {
    std::vector<float> values(static_cast<std::size_t>(tensor.size()));
    const auto half = static_cast<long>(values.size() / 2);
    fill(tensor, half, std::span(values).subspan(static_cast<std::size_t>(half)));
    fill(tensor, 0, std::span(values).first(static_cast<std::size_t>(half)));
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

TEST(ModelFolder, WritesTheKeysThatTransformersStores) {
  const TemporaryFolder folder;
  for (const std::string name : {"tiny", "tiny-tied"}) {
    const auto model = config_of(name);
    const plan::ParameterTable table(model);
    io::write_model_folder(folder / name, model, table, numbered(table), {DType::f32}, {}, "");
    std::vector<std::string> ours, theirs;
    const io::SafetensorsFile file(folder / name / "model.safetensors");
    for (const auto& tensor : file.tensors())
      ours.push_back(tensor.name + " " + io::to_text(tensor.shape));
    std::ifstream keys(foreign_file("hf-keys-" + name + ".txt"));
    for (std::string line; std::getline(keys, line);) theirs.push_back(line);
    ASSERT_GT(theirs.size(), 50u);
    EXPECT_THAT(ours, testing::UnorderedElementsAreArray(theirs)) << name;
  }
}

TEST(ModelFolder, WritesEveryTypeStyleAndShardSizeAndReadsItBack) {
  const TemporaryFolder folder;
  const auto model = config_of("tiny-tied");
  const plan::ParameterTable table(model);
  std::vector<float> expected;
  numbered(table)([&](const plan::LogicalTensor&, long, std::span<const float> values) {
    expected.insert(expected.end(), values.begin(), values.end());
  });
  for (const DType type : {DType::f32, DType::bf16})
    for (const TensorNames names : {TensorNames::original, TensorNames::nested, TensorNames::bare})
      for (const std::uint64_t shard : {1'000'000ull, 5'000'000'000ull}) {
        const auto out = folder / "model";
        io::write_model_folder(out, model, table, numbered(table), {type, names, shard}, {}, "");
        EXPECT_EQ(all_values(io::read_weights(out, table), table), expected);  // below 2^8: exact
        EXPECT_EQ(io::stored_precision(Checkpoint(out)), type);
        EXPECT_EQ(io::read_hf_config(out / "config.json").hidden, model.hidden);
      }
}

/// A model in 38 shards as the 72B checkpoint has, to be changed by a test.
class ThirtyEightShards : public testing::Test {
 protected:
  ThirtyEightShards() : model_(config_of("tiny-tied")), table_(model_) {
    std::uint64_t low = 1, high = 5'000'000;  // the size that gives 38 files
    const Checkpoint original(golden_folder() / "tiny-tied");
    for (const auto& name : original.names()) tensors_.push_back(original.tensor(name));
    std::vector<io::Shard> shards;
    while (low < high) {
      const std::uint64_t middle = (low + high) / 2;
      shards = io::make_shards(specs_of(tensors_), middle);
      if (shards.size() > 38)
        low = middle + 1;
      else
        high = middle;
    }
    write(io::make_shards(specs_of(tensors_), low));
    expected_ = all_values(io::read_weights(golden_folder() / "tiny-tied", table_), table_);
    index_ = Json::parse(io::read_text_file(index_file()));
  }
  fs::path index_file() const { return folder_ / "model.safetensors.index.json"; }
  void write(std::vector<io::Shard> shards) {
    shards_ = shards;
    io::CheckpointWriter writer(folder_.path(), std::move(shards));
    const Checkpoint original(golden_folder() / "tiny-tied");
    for (const auto& name : original.names()) writer.write(name, 0, original.tensor(name).data);
    writer.commit();
  }
  void save_index() { io::write_text_file(index_file(), index_.dump()); }
  void expect_same_weights() {
    EXPECT_EQ(all_values(io::read_weights(folder_.path(), table_), table_), expected_);
  }

  TemporaryFolder folder_;
  plan::ModelConfig model_;
  plan::ParameterTable table_;
  std::vector<io::TensorView> tensors_;  // names, types and shapes alone: the data are unmapped
  std::vector<io::Shard> shards_;
  std::vector<float> expected_;
  Json index_;
};

TEST_F(ThirtyEightShards, ReadsAsOneModel) {
  ASSERT_EQ(Checkpoint(folder_.path()).files().size(), 38u);
  EXPECT_EQ(index_["weight_map"].size(), 57u);
  EXPECT_EQ(shards_.back().file, "model-00038-of-00038.safetensors");
  expect_same_weights();
  fs::remove(folder_ / "model-00017-of-00038.safetensors");
  expect_error<IoError>([&] { Checkpoint c(folder_.path()); },
                        {"38 shards, of which 1 are missing", "model-00017-of-00038.safetensors"});
}

TEST_F(ThirtyEightShards, ToleratesWhatOthersWriteBesides) {
  index_["metadata"]["total_parameters"] = 2432256;
  index_["metadata"]["mergekit"] = {{"version", "0.1"}};
  index_["something"] = Json::array({1, 2});
  save_index();
  write_safetensors(folder_ / "model-00039-of-00039.safetensors",
                    {{"other", io::TensorType::u8, {0}, {}}});
  write_safetensors(folder_ / "adapter_model.safetensors",
                    {{"model.norm.weight", io::TensorType::u8, {0}, {}}});
  io::write_text_file(folder_ / "pytorch_model.bin", "no weights of ours");
  io::write_text_file(folder_ / "model-00001-of-00038.safetensors.tmp", "half a download");
  fs::create_directory(folder_ / "original");
  expect_same_weights();
  index_.erase("metadata");
  save_index();
  expect_same_weights();
}

TEST_F(ThirtyEightShards, TakesFileNamesInAnyOrder) {
  std::vector<io::Shard> shards = shards_;
  for (std::size_t s = 0; s < shards.size(); ++s)  // 10 stands before 2 in the alphabet
    shards[s].file = "part" + std::to_string((s * 7) % 38) + ".safetensors";
  for (const io::Shard& shard : shards_) fs::remove(folder_ / shard.file);
  write(shards);
  EXPECT_TRUE(fs::exists(folder_ / "part10.safetensors"));
  expect_same_weights();
}

TEST_F(ThirtyEightShards, PrefersTheEmbeddingToAStoredTiedHead) {
  const std::vector<float> head(640 * 256, 3.0f);
  write_safetensors(
      folder_ / "model-head.safetensors",
      {{"lm_head.weight", io::TensorType::f32, {640, 256}, std::as_bytes(std::span(head))}});
  index_["weight_map"]["lm_head.weight"] = "model-head.safetensors";
  save_index();
  expect_same_weights();
}

TEST_F(ThirtyEightShards, ReadsLinksIntoAStore) {
  // A download cache keeps blobs elsewhere and links to them.
  const TemporaryFolder store;
  for (const io::Shard& shard : shards_) {
    fs::rename(folder_ / shard.file, store / ("blob-" + shard.file));
    fs::create_symlink(store / ("blob-" + shard.file), folder_ / shard.file);
  }
  expect_same_weights();
}

TEST(ModelFolder, NamesTheWeightThatIsNotFinite) {
  const TemporaryFolder folder;
  const auto model = config_of("tiny");
  const plan::ParameterTable table(model);
  const auto visit = [&](const plan::TensorVisit& take) {
    numbered(table)([&](const plan::LogicalTensor& tensor, long first, auto values) {
      std::vector<float> changed(values.begin(), values.end());
      if (tensor.name == "model.embed_tokens.weight" && first == 2000) changed[7] = -INFINITY;
      take(tensor, first, changed);
    });
  };
  io::write_model_folder(folder.path(), model, table, visit, {DType::bf16}, {}, "");
  const auto fill = io::read_weights(folder.path(), table);
  expect_error<ValueError>([&] { all_values(fill, table); },
                           {(folder / "model.safetensors").string(),
                            "element 2007 of 'model.embed_tokens.weight' is -inf"});
}

TEST(ModelFolder, ReadingLeavesNothingResident) {
  const TemporaryFolder folder;
  plan::ModelConfig model = plan::model_preset("nano");  // 42 MB in fp32
  const plan::ParameterTable table(model);
  io::write_model_folder(folder.path(), model, table, numbered(table), {DType::f32}, {}, "");
  const plan::TensorFill fill = io::read_weights(folder.path(), table);
  std::vector<float> values(4096);
  const std::int64_t before = resident_bytes();
  std::int64_t most = 0;
  for (const plan::LogicalTensor& tensor : table.tensors)
    for (long first = 0; first < tensor.size(); first += 4096) {
      const auto count = static_cast<std::size_t>(std::min(4096L, tensor.size() - first));
      fill(tensor, first, std::span(values).first(count));
      if (first % (4096 * 64) == 0) most = std::max(most, resident_bytes() - before);
    }
  if (before == 0) GTEST_SKIP() << "the system does not say what is resident";
  EXPECT_LT(most, 8'000'000);
}

}  // namespace
}  // namespace vlmark::test
