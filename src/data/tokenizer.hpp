#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vlmark::data {

/// Byte-level BPE tokenizer of the Qwen2 kind, equal to Hugging Face's `tokenizers` id by id.
///
///     text -> added tokens cut out -> NFC -> split pattern -> bytes -> merges by rank -> ids
///
/// Copies share one immutable state; every member may be called from several threads at once.
class Tokenizer {
 public:
  /// Reads a Hugging Face folder: `tokenizer.json`, or else `vocab.json` and `merges.txt`, to which
  /// Qwen2-VL's fourteen special tokens are appended. Throws IoError (missing, unreadable or
  /// contradictory files) and ConfigError (a tokenizer of another kind), naming the file.
  static Tokenizer from_folder(const std::filesystem::path& folder);

  /// Reads the text of a `tokenizer.json`; `name` stands for the file in error texts.
  static Tokenizer from_json_text(std::string_view text,
                                  const std::string& name = "tokenizer.json");

  /// Ids of a text; nothing is added at its ends. Throws ValueError with the byte offset when
  /// `utf8` is not valid UTF-8. Cost: O(n log n) for n bytes, whatever the text.
  std::vector<int> encode(std::string_view utf8) const;

  /// Text of the ids: their bytes joined, each maximal ill-formed part replaced by one U+FFFD.
  /// `skip_special` leaves special tokens out. Throws ValueError for an id outside
  /// [0, vocab_size()): models have more embedding rows than the tokenizer has tokens.
  std::string decode(std::span<const int> ids, bool skip_special = false) const;

  /// Id of a token as spelled in the file (a leading blank is U+0120 there); empty if unknown.
  std::optional<int> id_of(std::string_view token) const;
  /// As id_of, but throws ConfigError when the tokenizer lacks the token.
  int require_id(std::string_view token) const;

  /// Token of an id as spelled in the file. Throws ValueError like decode.
  const std::string& token(int id) const;

  int vocab_size() const;                ///< tokens, added ones included
  bool is_special(int id) const;         ///< false for an id outside the vocabulary
  std::vector<int> special_ids() const;  ///< ascending

 private:
  struct State;
  explicit Tokenizer(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

}  // namespace vlmark::data
