#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "src/data/tokenizer_file.hpp"

namespace vlmark::data {

/// Part of a text: an added token (id >= 0) or plain text between such tokens (id < 0).
struct Section {
  std::string_view text;
  int id = -1;
};

/// Finds added tokens as Hugging Face does: leftmost first, of those that start at one place the
/// longest; the search goes on behind it, also where a flag refuses it (single_word) or moves its
/// end (rstrip).
class AddedTokenFinder {
 public:
  explicit AddedTokenFinder(std::vector<AddedToken> tokens);
  bool empty() const { return tokens_.empty(); }

  /// Replaces `sections` by the parts of `text`; plain parts are not empty. A token with lstrip or
  /// rstrip takes the white space at its side; one with single_word counts only where the
  /// characters beside it are no word characters.
  void cut(std::string_view text, std::vector<Section>& sections) const;

 private:
  const AddedToken* match(std::string_view text, std::size_t at) const;
  std::vector<AddedToken> tokens_;                   // longest first
  std::array<std::vector<int>, 256> by_first_byte_;  // indices into tokens_, longest first
};

}  // namespace vlmark::data
