#include "src/data/tokenizer_added.hpp"

#include <algorithm>

#include "src/data/tokenizer_utf8.hpp"
#include "src/data/tokenizer_word.hpp"

namespace vlmark::data {
namespace {

/// Unicode property White_Space, the same since Unicode 6.3.
bool is_white_space(char32_t c) {
  return (c >= 0x9 && c <= 0xd) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ||
         c == 0x3000;
}

/// Where the character that ends before `end` > 0 starts.
std::size_t last_character(std::string_view text, std::size_t end) {
  --end;
  while ((static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return end;
}

std::size_t without_trailing_space(std::string_view text, std::size_t begin, std::size_t end) {
  while (end > begin) {
    const std::size_t last = last_character(text, end);
    if (!is_white_space(read_utf8(text, last).value)) break;
    end = last;
  }
  return end;
}

std::size_t after_leading_space(std::string_view text, std::size_t at) {
  while (at < text.size()) {
    const auto [value, bytes] = read_utf8(text, at);
    if (!is_white_space(value)) break;
    at += bytes;
  }
  return at;
}

bool stands_alone(std::string_view text, std::size_t begin, std::size_t end) {
  if (begin > 0 && is_word_character(read_utf8(text, last_character(text, begin)).value))
    return false;
  return end == text.size() || !is_word_character(read_utf8(text, end).value);
}

}  // namespace

AddedTokenFinder::AddedTokenFinder(std::vector<AddedToken> tokens) : tokens_(std::move(tokens)) {
  std::stable_sort(tokens_.begin(), tokens_.end(), [](const AddedToken& a, const AddedToken& b) {
    return a.content.size() > b.content.size();
  });
  for (std::size_t i = 0; i < tokens_.size(); ++i)
    by_first_byte_[static_cast<unsigned char>(tokens_[i].content[0])].push_back(
        static_cast<int>(i));
}

const AddedToken* AddedTokenFinder::match(std::string_view text, std::size_t at) const {
  for (const int i : by_first_byte_[static_cast<unsigned char>(text[at])])
    if (text.substr(at, tokens_[i].content.size()) == tokens_[i].content) return &tokens_[i];
  return nullptr;
}

void AddedTokenFinder::cut(std::string_view text, std::vector<Section>& sections) const {
  sections.clear();
  std::size_t done = 0, spaces_end = 0;  // a run of white space is walked once
  for (std::size_t at = 0; at < text.size();) {
    const AddedToken* const token = match(text, at);
    if (!token) {
      ++at;
      continue;
    }
    const std::size_t start = at;
    at += token->content.size();
    if (token->single_word && !stands_alone(text, start, at)) continue;
    const std::size_t begin =
        token->lstrip ? std::max(without_trailing_space(text, done, start), done) : start;
    if (token->rstrip && at >= spaces_end) spaces_end = after_leading_space(text, at);
    const std::size_t end = token->rstrip ? spaces_end : at;
    if (begin > done) sections.push_back({text.substr(done, begin - done)});
    // What an earlier token swallowed whole leaves nothing to a token that would swallow as well.
    if (begin < end) sections.push_back({text.substr(begin, end - begin), token->id});
    done = end;
  }
  if (done < text.size()) sections.push_back({text.substr(done)});
}

}  // namespace vlmark::data
