#include "src/data/byte_tokenizer.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "src/base/error.hpp"
#include "src/data/byte_map.hpp"
#include "src/data/pretokenize.hpp"
#include "src/data/special_tokens.hpp"

namespace vlmark::data {
namespace {

using Json = nlohmann::ordered_json;

void require_consecutive(const plan::ModelConfig& model) {
  const auto expect = [&](const char* key, int id, std::string_view token) {
    const auto* const at = std::find(qwen2_vl_specials.begin(), qwen2_vl_specials.end(), token);
    const int expected = model.pad_id + static_cast<int>(at - qwen2_vl_specials.begin());
    if (id != expected)
      throw ConfigError(std::string(key) + ": " + std::to_string(id) + " (expected " +
                        std::to_string(expected) + ", as the special tokens follow " +
                        std::to_string(model.pad_id) +
                        "; no tokenizer can be made for other ids). Give the folder of one");
  };
  expect("eos_token_id", model.eos_id, "<|im_end|>");
  expect("vision_start_token_id", model.vision_start_id, "<|vision_start|>");
  expect("vision_end_token_id", model.vision_end_id, "<|vision_end|>");
  expect("image_token_id", model.image_id, "<|image_pad|>");
  expect("video_token_id", model.video_id, "<|video_pad|>");
  const int end = model.pad_id + static_cast<int>(qwen2_vl_specials.size());
  if (model.pad_id < 256 || end > model.vocab)
    throw ConfigError("pad_token_id: " + std::to_string(model.pad_id) +
                      " leaves no room for 256 bytes before it and the special tokens behind it in "
                      "a vocabulary of " +
                      std::to_string(model.vocab) + ". Give the folder of a tokenizer");
}

}  // namespace

std::string byte_tokenizer_json(const plan::ModelConfig& model) {
  require_consecutive(model);
  Json added = Json::array();
  int id = model.pad_id;
  for (const char* token : qwen2_vl_specials)
    added.push_back({{"id", id++},
                     {"content", token},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", true}});
  nlohmann::json vocab;  // not ordered: that one looks keys up one by one
  for (int byte = 0; byte < 256; ++byte)
    vocab[spell_bytes(std::string(1, static_cast<char>(byte)))] = byte;
  for (int unused = 256; unused < model.pad_id; ++unused)
    vocab["<|unused_" + std::to_string(unused) + "|>"] = unused;
  const Json split = {{"type", "Split"},
                      {"pattern", {{"Regex", qwen2_split_pattern}}},
                      {"behavior", "Isolated"},
                      {"invert", false}};
  const Json bytes = {{"type", "ByteLevel"},
                      {"add_prefix_space", false},
                      {"trim_offsets", true},
                      {"use_regex", false}};
  Json pipeline = {{"type", "Sequence"}};
  pipeline["pretokenizers"] = Json::array({split, bytes});
  Json bpe = {{"type", "BPE"},
              {"dropout", nullptr},
              {"unk_token", nullptr},
              {"continuing_subword_prefix", nullptr},
              {"end_of_word_suffix", nullptr},
              {"fuse_unk", false},
              {"byte_fallback", false},
              {"ignore_merges", false}};
  Json root = {{"version", "1.0"}, {"truncation", nullptr}, {"padding", nullptr}};
  root["added_tokens"] = std::move(added);
  root["normalizer"] = {{"type", "NFC"}};
  root["pre_tokenizer"] = std::move(pipeline);
  root["post_processor"] = nullptr;
  root["decoder"] = bytes;
  bpe["vocab"] = std::move(vocab);
  bpe["merges"] = Json::array();
  root["model"] = std::move(bpe);
  return root.dump();
}

}  // namespace vlmark::data
