#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "src/data/bpe.hpp"

namespace vlmark::data {

/// A token that is cut out of the text before anything else happens.
struct AddedToken {
  std::string content;
  int id = 0;
  bool special = true;       ///< left out by decode(..., skip_special = true)
  bool normalized = false;   ///< looked for after NFC instead of before
  bool lstrip = false;       ///< swallows white space on its left
  bool rstrip = false;       ///< swallows white space on its right
  bool single_word = false;  ///< only where no word touches it
};

/// What the files of a tokenizer say, checked: ids are dense, every merge joins known tokens, all
/// 256 bytes have a token, and nothing asks for what the encoder does not do.
struct TokenizerSpec {
  std::vector<std::string> tokens;             // [vocabulary], as spelled in the file
  std::unordered_map<std::string, int> model;  // spelling -> id, without tokens that are only added
  std::vector<MergeRule> merges;               // [rank]
  std::vector<AddedToken> added;
  std::string pattern;         ///< split pattern
  bool nfc = true;             ///< normalise
  bool ignore_merges = false;  ///< a piece that is a token needs no merge
};

/// Reads the text of a Hugging Face `tokenizer.json`; `name` is the file's in error texts.
/// Throws IoError when it is not JSON or parts are missing or contradict each other, ConfigError
/// when it describes a tokenizer of another kind.
TokenizerSpec parse_tokenizer_json(std::string_view text, const std::string& name);

/// Reads the texts of `vocab.json` and `merges.txt` and appends Qwen2-VL's fourteen special
/// tokens, which these files do not hold. Throws like parse_tokenizer_json.
TokenizerSpec parse_vocab_and_merges(std::string_view vocab, const std::string& vocab_name,
                                     std::string_view merges, const std::string& merges_name);

}  // namespace vlmark::data
