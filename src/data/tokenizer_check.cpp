#include "src/data/tokenizer_check.hpp"

#include <algorithm>
#include <optional>

#include "src/base/error.hpp"
#include "src/data/byte_map.hpp"

namespace vlmark::data {
namespace {

[[noreturn]] void broken(const std::string& name, const std::string& problem,
                         const std::string& why) {
  throw IoError(name + ": " + problem + " (" + why + "). Fetch or save the tokenizer again.");
}

std::string quoted(std::string_view text) {
  std::string result = "'";
  return result.append(text).append("'");
}

int known_token(const TokenizerSpec& spec, const std::string& token, const std::string& name) {
  const auto found = spec.model.find(token);
  if (found == spec.model.end())
    broken(name,
           "merge of rank " + std::to_string(spec.merges.size()) + " needs the token " +
               quoted(token) + ", which the vocabulary of " + std::to_string(spec.model.size()) +
               " tokens lacks",
           "the merge could never give an id");
  return found->second;
}

void place(std::vector<std::optional<std::string>>& tokens, int id, const std::string& token,
           const std::string& name) {
  if (id < 0 || static_cast<std::size_t>(id) >= tokens.size())
    broken(name,
           "token " + quoted(token) + " has id " + std::to_string(id) + ", but there are " +
               std::to_string(tokens.size()) + " tokens",
           "ids must be dense: 0 to " + std::to_string(tokens.size() - 1));
  auto& place = tokens[static_cast<std::size_t>(id)];
  if (place && *place != token)
    broken(name,
           "tokens " + quoted(*place) + " and " + quoted(token) + " both have id " +
               std::to_string(id),
           "an id must name one token");
  place = token;
}

void require_distinct_merges(const TokenizerSpec& spec, const std::string& name) {
  std::vector<std::size_t> order(spec.merges.size());
  for (std::size_t rank = 0; rank < order.size(); ++rank) order[rank] = rank;
  const auto key = [&](std::size_t rank) {
    return std::pair(spec.merges[rank].left, spec.merges[rank].right);
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
  const auto twice = std::adjacent_find(
      order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return key(a) == key(b); });
  if (twice == order.end()) return;
  const auto [left, right] = key(*twice);
  broken(name,
         "the merge of " + quoted(spec.tokens[left]) + " and " + quoted(spec.tokens[right]) +
             " has ranks " + std::to_string(twice[0]) + " and " + std::to_string(twice[1]),
         "a merge has one rank");
}

}  // namespace

void add_merge(TokenizerSpec& spec, std::string_view left, std::string_view right,
               const std::string& name) {
  std::string token(left);
  const int left_id = known_token(spec, token, name);
  const int right_id = known_token(spec, std::string(right), name);
  token += right;
  spec.merges.push_back({left_id, right_id, known_token(spec, token, name)});
}

void add_merge(TokenizerSpec& spec, std::string_view rule, const std::string& name) {
  const std::size_t blank = rule.find(' ');
  if (blank == std::string_view::npos || rule.find(' ', blank + 1) != std::string_view::npos ||
      blank == 0 || blank + 1 == rule.size())
    broken(name,
           "merge of rank " + std::to_string(spec.merges.size()) + " is " + quoted(rule) +
               " (expected two tokens with one blank between them)",
           "its tokens cannot be told apart");
  add_merge(spec, rule.substr(0, blank), rule.substr(blank + 1), name);
}

void complete(TokenizerSpec& spec, const std::string& name) {
  std::size_t count = spec.model.size();
  for (const AddedToken& token : spec.added) count += !spec.model.contains(token.content);
  std::vector<std::optional<std::string>> tokens(count);
  for (const auto& [token, id] : spec.model) place(tokens, id, token, name);
  for (const AddedToken& added : spec.added) {
    const auto found = spec.model.find(added.content);
    if (found != spec.model.end() && found->second != added.id)
      broken(name,
             "added token " + quoted(added.content) + " has id " + std::to_string(added.id) +
                 ", but id " + std::to_string(found->second) + " in the vocabulary",
             "a token must have one id");
    place(tokens, added.id, added.content, name);
  }
  spec.tokens.clear();
  for (std::size_t id = 0; id < count; ++id) {
    if (!tokens[id])
      broken(name,
             "no token has id " + std::to_string(id) + " of " + std::to_string(count) +
                 ": a token is listed twice",
             "ids must be dense");
    spec.tokens.push_back(std::move(*tokens[id]));
  }
  for (int byte = 0; byte < 256; ++byte)
    if (!spec.model.contains(spell_bytes(std::string(1, static_cast<char>(byte)))))
      broken(name, "the vocabulary has no token for byte " + std::to_string(byte),
             "text with this byte would have no ids");
  require_distinct_merges(spec, name);
}

}  // namespace vlmark::data
