#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vlmark::data {

/// Qwen2's split pattern: contractions, words with at most one leading mark, single digits, runs
/// of marks, line ends, white space that leaves its last blank to the word that follows.
extern const char* const qwen2_split_pattern;

/// Cuts text into the pieces that are encoded one by one: the matches of a pattern and whatever
/// lies between them (Hugging Face: `Split`, behaviour "Isolated").
///
/// The pattern is one for Oniguruma and is run by PCRE2 (compiled just in time). Only constructs
/// that mean the same in both are accepted; classes follow with_stable_classes().
class Pretokenizer {
 public:
  /// Throws ConfigError, beginning with `where`, for a pattern that is malformed, that can match
  /// nothing, or that uses a construct on which the two libraries differ.
  explicit Pretokenizer(const std::string& pattern, const std::string& where);

  /// Working memory of one split at a time; reuse it.
  class Scratch {
   public:
    explicit Scratch(const Pretokenizer& owner);

   private:
    friend class Pretokenizer;
    std::shared_ptr<void> match_, stack_, context_;
    std::string stand_ins_;
  };

  /// Replaces `ends` by the end offset of every piece; none for an empty text.
  /// Precondition: valid UTF-8. Throws ValueError when the library gives up: memory,
  /// or more steps than any sensible pattern needs for a text of this length.
  void split(std::string_view text, Scratch& scratch, std::vector<std::size_t>& ends) const;

 private:
  std::shared_ptr<void> code_;
};

}  // namespace vlmark::data
