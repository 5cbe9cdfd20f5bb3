#include "src/data/pretokenize.hpp"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <new>

#include "src/base/error.hpp"
#include "src/data/pretokenize_classes.hpp"

namespace vlmark::data {

const char* const qwen2_split_pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

namespace {

std::string message_of(int code) {
  std::array<unsigned char, 256> text{};
  pcre2_get_error_message(code, text.data(), text.size());
  return reinterpret_cast<const char*>(text.data());
}

/// First construct that PCRE2 and Oniguruma read differently, or that asks for more than letters,
/// numbers and white space; empty when there is none.
std::string foreign_construct(std::string_view pattern) {
  const auto follows = [&](std::size_t at, std::string_view text) {
    return pattern.substr(std::min(at, pattern.size())).starts_with(text);
  };
  bool in_class = false;
  std::size_t class_start = 0;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '\\') {
      bool known = false;
      for (const auto escape :
           {"\\s", "\\S", "\\r", "\\n", "\\t", "\\p{L}", "\\p{N}", "\\P{L}", "\\P{N}"})
        if (follows(i, escape)) known = true, i += std::string_view(escape).size() - 1;
      if (known) continue;
      const std::string_view escape =
          pattern.substr(i, follows(i + 2, "{") ? pattern.find('}', i) + 1 - i : 2);
      if (escape.size() < 2) return "\\ at the end";
      const auto letter = static_cast<unsigned char>(escape[1]);
      if (letter >= 0x80 ||
          std::string_view("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ ").find(escape[1]) ==
              std::string_view::npos)
        return std::string(escape);
      ++i;
    } else if (in_class) {
      if (c == '[' || follows(i, "&&"))
        return std::string(pattern.substr(i, c == '[' ? 1 : 2)) + " inside a class";
      if (c == ']' && i > class_start) in_class = false;
    } else if (c == '[') {
      in_class = true;
      class_start = i + (follows(i + 1, "^") ? 2 : 1);
    } else if (c == '^' || c == '$') {
      return std::string(1, c);
    } else if (c == '(' && follows(i + 1, "?")) {
      bool known = false;
      for (const auto group : {"(?:", "(?i:", "(?=", "(?!"}) known |= follows(i, group);
      if (!known) return std::string(pattern.substr(i, 3));
    } else if (c == '(' && follows(i + 1, "*")) {
      return "(*";
    } else {
      for (const auto quantifier : {"}+", "}?", "{,"})
        if (follows(i, quantifier)) return quantifier;
    }
  }
  return "";
}

}  // namespace

Pretokenizer::Pretokenizer(const std::string& pattern, const std::string& where) {
  const auto refuse = [&](const std::string& problem, const std::string& why) {
    throw ConfigError(where + ": the split pattern " + problem + " (" + why +
                      "). The pattern is: " + pattern + " Qwen2's is: " + qwen2_split_pattern);
  };
  if (const std::string construct = foreign_construct(pattern); !construct.empty())
    refuse("uses '" + construct + "'",
           "PCRE2 and the Oniguruma library it was written for may read it differently");
  int error = 0;
  PCRE2_SIZE offset = 0;
  const std::unique_ptr<pcre2_compile_context, void (*)(pcre2_compile_context*)> context(
      pcre2_compile_context_create(nullptr), pcre2_compile_context_free);
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  pcre2_code* const code =
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                    PCRE2_UTF | PCRE2_UCP | PCRE2_NO_AUTO_CAPTURE, &error, &offset, context.get());
  if (!code)
    refuse("is malformed at offset " + std::to_string(offset), "PCRE2: " + message_of(error));
  code_ =
      std::shared_ptr<void>(code, [](void* p) { pcre2_code_free(static_cast<pcre2_code*>(p)); });
  std::uint32_t can_be_empty = 0;
  pcre2_pattern_info(code, PCRE2_INFO_MATCHEMPTY, &can_be_empty);
  if (can_be_empty) refuse("can match the empty string", "pieces must not be empty");
  // A library built without the compiler interprets the pattern: slower, same result.
  pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
}

Pretokenizer::Scratch::Scratch(const Pretokenizer& owner) {
  constexpr std::size_t smallest_stack = 32 << 10, largest_stack = 64 << 20;
  auto* match =
      pcre2_match_data_create_from_pattern(static_cast<pcre2_code*>(owner.code_.get()), nullptr);
  match_ = {match, [](void* p) { pcre2_match_data_free(static_cast<pcre2_match_data*>(p)); }};
  auto* stack = pcre2_jit_stack_create(smallest_stack, largest_stack, nullptr);
  stack_ = {stack, [](void* p) { pcre2_jit_stack_free(static_cast<pcre2_jit_stack*>(p)); }};
  auto* context = pcre2_match_context_create(nullptr);
  context_ = {context,
              [](void* p) { pcre2_match_context_free(static_cast<pcre2_match_context*>(p)); }};
  if (!match || !context) throw std::bad_alloc();
  if (stack) pcre2_jit_stack_assign(context, nullptr, stack);
}

void Pretokenizer::split(std::string_view text, Scratch& scratch,
                         std::vector<std::size_t>& ends) const {
  ends.clear();
  const std::string_view subject = with_stable_classes(text, scratch.stand_ins_);
  auto* match = static_cast<pcre2_match_data*>(scratch.match_.get());
  auto* context = static_cast<pcre2_match_context*>(scratch.context_.get());
  // Steps of one match: enough for each alternative to walk a very long run of blanks forth and
  // back, which the default of 10 million is not; a pattern that tries all ways to cut a text in
  // two ("(a|aa)+b") ends with an error instead of never.
  constexpr std::size_t steps_per_byte = 256;
  pcre2_set_match_limit(context, static_cast<std::uint32_t>(std::min<std::size_t>(
                                     10000 + steps_per_byte * subject.size(), UINT32_MAX)));
  for (std::size_t done = 0; done < subject.size();) {
    const int result = pcre2_match(static_cast<const pcre2_code*>(code_.get()),
                                   reinterpret_cast<PCRE2_SPTR>(subject.data()), subject.size(),
                                   done, PCRE2_NO_UTF_CHECK, match, context);
    if (result == PCRE2_ERROR_NOMATCH) {
      ends.push_back(subject.size());
      return;
    }
    if (result < 0)
      throw ValueError("tokenizer: PCRE2 gave up at byte " + std::to_string(done) + " of " +
                       std::to_string(subject.size()) + " (" + message_of(result) +
                       "). Split the text into shorter ones, or use another pattern.");
    const PCRE2_SIZE* const span = pcre2_get_ovector_pointer(match);
    if (span[0] > done) ends.push_back(span[0]);
    ends.push_back(span[1]);
    done = span[1];
  }
}

}  // namespace vlmark::data
