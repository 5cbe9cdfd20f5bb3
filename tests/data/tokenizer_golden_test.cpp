#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "src/data/tokenizer.hpp"
#include "tests/data/data_files.hpp"

namespace vlmark::test {
namespace {

using data::Tokenizer;
namespace fs = std::filesystem;

/// The named folder, else that of the golden data, which need not hold one, else the project's.
fs::path tokenizer_folder() {
  const char* named = std::getenv("VLMARK_TOKENIZER");
  if (named && *named) return named;
  const fs::path golden = golden_dir() / "tokenizer";
  return fs::exists(golden) ? golden : source_dir() / "tests/golden/tokenizer";
}

/// The named file of vectors; by default that of the tokenizer's folder.
fs::path vectors_file() {
  const char* named = std::getenv("VLMARK_TOKENIZER_VECTORS");
  return named && *named ? fs::path(named) : tokenizer_folder() / "vectors.jsonl";
}

/// Every line holds a text, its ids and the text they decode to.
void expect_vectors(const Tokenizer& tokenizer, const fs::path& file) {
  std::ifstream in(file);
  ASSERT_TRUE(in) << file << " cannot be read";
  int lines = 0;
  for (std::string line; std::getline(in, line);) {
    if (line.empty()) continue;
    ++lines;
    const auto vector = nlohmann::json::parse(line);
    const auto text = vector["text"].get<std::string>();
    const auto expected = vector["ids"].get<std::vector<int>>();
    EXPECT_EQ(tokenizer.encode(text), expected) << file << " line " << lines << ": " << line;
    EXPECT_EQ(tokenizer.decode(expected), vector["decoded"].get<std::string>())
        << file << " line " << lines << ": " << line;
  }
  EXPECT_GT(lines, 0) << file << " holds no vectors";
}

TEST(TokenizerGolden, EqualsHuggingFaceOnEveryVector) {
  expect_vectors(Tokenizer::from_folder(tokenizer_folder()), vectors_file());
}

TEST(TokenizerGolden, EqualsHuggingFaceAcrossUnicodeVersions) {
  const fs::path folder = source_dir() / "tests/golden/tokenizer";
  expect_vectors(Tokenizer::from_folder(folder), folder / "unicode_vectors.jsonl");
}

/// Every line is a tokenizer with more added tokens, and texts with their ids.
TEST(TokenizerGolden, AddedTokensFollowEveryFlag) {
  const fs::path folder = source_dir() / "tests/golden/tokenizer";
  std::ifstream file(folder / "tokenizer.json"), in(folder / "added_vectors.jsonl");
  const auto base = nlohmann::json::parse(file);
  int texts = 0;
  for (std::string line; std::getline(in, line);) {
    const auto set = nlohmann::json::parse(line);
    auto json = base;
    for (const auto& token : set["added"]) json["added_tokens"].push_back(token);
    const auto tokenizer = Tokenizer::from_json_text(json.dump());
    for (const auto& vector : set["cases"]) {
      ++texts;
      EXPECT_EQ(tokenizer.encode(vector["text"].get<std::string>()),
                vector["ids"].get<std::vector<int>>())
          << vector.dump() << " with " << set["added"].dump();
    }
  }
  EXPECT_GT(texts, 200);
}

TEST(TokenizerGolden, VocabAndMergesGiveTheSameTokenizer) {
  const fs::path folder = source_dir() / "tests/golden/tokenizer";
  const ScratchDir copy;  // without tokenizer.json
  for (const char* name : {"vocab.json", "merges.txt"})
    fs::copy_file(folder / name, copy.path() / name);
  const auto tokenizer = Tokenizer::from_folder(copy.path());
  EXPECT_EQ(tokenizer.vocab_size(), 512 + 14);
  EXPECT_EQ(tokenizer.id_of("<|video_pad|>"), 525);
  expect_vectors(tokenizer, folder / "vectors.jsonl");
  expect_vectors(tokenizer, folder / "unicode_vectors.jsonl");
}

TEST(TokenizerGolden, TheNanoPresetUsesTheSameTokenizer) {
  expect_vectors(Tokenizer::from_folder(source_dir() / "configs/tokenizer-nano"),
                 source_dir() / "tests/golden/tokenizer/vectors.jsonl");
}

}  // namespace
}  // namespace vlmark::test
