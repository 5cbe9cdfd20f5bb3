#include "tests/data/tokenizer_json.hpp"

#include <nlohmann/json.hpp>

#include "src/data/byte_map.hpp"
#include "src/data/pretokenize.hpp"

namespace vlmark::test {

using nlohmann::json;

namespace {

json added_token(const std::string& content, int id) {
  return {{"id", id},        {"content", content},  {"single_word", false}, {"lstrip", false},
          {"rstrip", false}, {"normalized", false}, {"special", true}};
}

}  // namespace

std::string added_token_text(const std::string& content, int id) {
  return added_token(content, id).dump();
}

std::string byte_tokenizer_text(const std::vector<std::pair<std::string, std::string>>& merges) {
  json vocab = json::object(), rules = json::array();
  for (int byte = 0; byte < 256; ++byte)
    vocab[data::spell_bytes(std::string(1, static_cast<char>(byte)))] = byte;
  for (const auto& [left, right] : merges) {
    rules.push_back({left, right});
    const int next = static_cast<int>(vocab.size());
    if (!vocab.contains(left + right)) vocab[left + right] = next;
  }
  const json split = {{"type", "Split"},
                      {"pattern", {{"Regex", data::qwen2_split_pattern}}},
                      {"behavior", "Isolated"},
                      {"invert", false}};
  const json byte_level = {{"type", "ByteLevel"},
                           {"add_prefix_space", false},
                           {"trim_offsets", true},
                           {"use_regex", false}};
  const json file = {{"version", "1.0"},
                     {"truncation", nullptr},
                     {"padding", nullptr},
                     {"added_tokens", {added_token("<|im_end|>", static_cast<int>(vocab.size()))}},
                     {"normalizer", {{"type", "NFC"}}},
                     {"pre_tokenizer",
                      {{"type", "Sequence"}, {"pretokenizers", json::array({split, byte_level})}}},
                     {"post_processor", nullptr},
                     {"decoder", {{"type", "ByteLevel"}}},
                     {"model", {{"type", "BPE"}, {"vocab", vocab}, {"merges", rules}}}};
  return file.dump();
}

}  // namespace vlmark::test
