#include "src/data/tokenizer_added.hpp"

#include <algorithm>

#include "src/data/tokenizer_utf8.hpp"

namespace vlmark::data {
namespace {

/// Unicode property White_Space, the same since Unicode 6.3.
bool is_white_space(char32_t c) {
  return (c >= 0x9 && c <= 0xd) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ||
         c == 0x3000;
}

std::size_t without_trailing_space(std::string_view text, std::size_t begin, std::size_t end) {
  while (end > begin) {
    std::size_t last = end - 1;
    while ((static_cast<unsigned char>(text[last]) & 0xc0) == 0x80) --last;
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
  std::size_t done = 0;
  for (std::size_t at = 0; at < text.size();) {
    const AddedToken* const token = match(text, at);
    if (!token) {
      ++at;
      continue;
    }
    const std::size_t begin = token->lstrip ? without_trailing_space(text, done, at) : at;
    at += token->content.size();
    const std::size_t end = token->rstrip ? after_leading_space(text, at) : at;
    if (begin > done) sections.push_back({text.substr(done, begin - done)});
    sections.push_back({text.substr(begin, end - begin), token->id});
    done = end;
    at = std::max(at, end);
  }
  if (done < text.size()) sections.push_back({text.substr(done)});
}

}  // namespace vlmark::data
