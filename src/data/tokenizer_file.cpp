#include "src/data/tokenizer_file.hpp"

#include <nlohmann/json.hpp>

#include "src/base/error.hpp"
#include "src/base/json_depth.hpp"
#include "src/data/pretokenize.hpp"
#include "src/data/special_tokens.hpp"
#include "src/data/tokenizer_check.hpp"

namespace vlmark::data {
namespace {

using nlohmann::json;

json parse(std::string_view text, const std::string& name) {
  require_json_depth(text, name);
  try {
    return json::parse(text.begin(), text.end());
  } catch (const json::parse_error& e) {
    throw IoError(name + ": not valid JSON at byte " + std::to_string(e.byte) + " of " +
                  std::to_string(text.size()) + " (" + e.what() +
                  "). Fetch or save the tokenizer again.");
  } catch (const json::exception& e) {  // a number too large for a double
    throw IoError(name + ": not valid JSON (" + e.what() + "). Fetch or save the tokenizer again.");
  }
}

/// The member, of the type that the caller expects.
const json& member(const json& object, const std::string& key, json::value_t type,
                   const std::string& where) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  if (found == object.end())
    throw IoError(where + ": '" + key + "' is missing (the tokenizer needs it). " +
                  "Fetch or save the tokenizer again.");
  if (found->type() != type)
    throw IoError(where + ": '" + key + "' is of type " + found->type_name() + " (expected " +
                  json(type).type_name() + "). Fetch or save the tokenizer again.");
  return *found;
}

/// Shortened: an error text must not hold a vocabulary.
std::string shown(const json& value) {
  const std::string text = value.dump(-1, ' ', true);
  return text.size() <= 120 ? text : text.substr(0, 117) + "...";
}

[[noreturn]] void unsupported(const std::string& where, const std::string& found,
                              const std::string& expected) {
  throw ConfigError(where + ": is " + found + " (expected " + expected +
                    ": ids would differ from the ones the model was trained on). " +
                    "Use a byte-level tokenizer of the Qwen2 kind.");
}

/// Refuses a value other than those listed; an absent member reads as null.
void require_one_of(const json& object, const std::string& key, const std::vector<json>& allowed,
                    const std::string& where) {
  const json value = object.is_object() && object.contains(key) ? object[key] : json();
  std::string expected;
  for (const json& choice : allowed) {
    if (choice == value) return;
    expected += (expected.empty() ? "" : " or ") + choice.dump();
  }
  unsupported(where + "." + key, shown(value), expected);
}

void read_pre_tokenizer(const json& root, TokenizerSpec& spec, const std::string& name) {
  const std::string where = name + ": pre_tokenizer";
  const json& outer = member(root, "pre_tokenizer", json::value_t::object, name);
  require_one_of(outer, "type", {"Sequence"}, where);
  const json& list = member(outer, "pretokenizers", json::value_t::array, where);
  if (list.size() != 2)
    unsupported(where, "a sequence of " + std::to_string(list.size()), "Split and ByteLevel");
  require_one_of(list[0], "type", {"Split"}, where + "[0]");
  require_one_of(list[0], "behavior", {"Isolated"}, where + "[0]");
  require_one_of(list[0], "invert", {false, nullptr}, where + "[0]");
  const json& pattern = member(list[0], "pattern", json::value_t::object, where + "[0]");
  spec.pattern = member(pattern, "Regex", json::value_t::string, where + "[0].pattern");
  require_one_of(list[1], "type", {"ByteLevel"}, where + "[1]");
  require_one_of(list[1], "add_prefix_space", {false}, where + "[1]");
  require_one_of(list[1], "use_regex", {false}, where + "[1]");
}

/// Everything around the model that could change ids or text.
void read_pipeline(const json& root, TokenizerSpec& spec, const std::string& name) {
  const std::string where = name + ": " + "tokenizer";
  require_one_of(root, "truncation", {nullptr}, where);
  require_one_of(root, "padding", {nullptr}, where);
  const json normalizer = root.value("normalizer", json());
  spec.nfc = !normalizer.is_null();
  if (spec.nfc) require_one_of(normalizer, "type", {"NFC"}, name + ": normalizer");
  const json processor = root.value("post_processor", json());
  if (!processor.is_null())
    require_one_of(processor, "type", {"ByteLevel"}, name + ": post_processor");
  require_one_of(member(root, "decoder", json::value_t::object, name), "type", {"ByteLevel"},
                 name + ": decoder");
  read_pre_tokenizer(root, spec, name);
}

void read_vocabulary(const json& vocab, TokenizerSpec& spec, const std::string& name) {
  spec.model.reserve(vocab.size());
  for (const auto& [token, id] : vocab.items()) {
    if (!id.is_number_integer() || id < 0 || id > (1 << 30))
      throw IoError(name + ": token '" + token + "' has id " + shown(id) +
                    " (expected an integer from 0). Fetch or save the tokenizer again.");
    spec.model.emplace(token, id.get<int>());
  }
}

void read_model(const json& root, TokenizerSpec& spec, const std::string& name) {
  const std::string where = name + ": model";
  const json& model = member(root, "model", json::value_t::object, name);
  // Files of the first versions name no type; the type is BPE when there are merges.
  require_one_of(model, "type", {"BPE", nullptr}, where);
  require_one_of(model, "dropout", {nullptr, 0.0}, where);
  require_one_of(model, "continuing_subword_prefix", {nullptr, ""}, where);
  require_one_of(model, "end_of_word_suffix", {nullptr, ""}, where);
  require_one_of(model, "byte_fallback", {false, nullptr}, where);
  require_one_of(model, "ignore_merges", {false, true, nullptr}, where);
  spec.ignore_merges = model.contains("ignore_merges") && model["ignore_merges"] == true;
  read_vocabulary(member(model, "vocab", json::value_t::object, where), spec, where + ".vocab");
  const json& merges = member(model, "merges", json::value_t::array, where);
  spec.merges.reserve(merges.size());
  for (const json& merge : merges) {
    if (merge.is_string())
      add_merge(spec, merge.get_ref<const std::string&>(), where + ".merges");
    else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string())
      add_merge(spec, merge[0].get_ref<const std::string&>(),
                merge[1].get_ref<const std::string&>(), where + ".merges");
    else
      throw IoError(where + ".merges: merge of rank " + std::to_string(spec.merges.size()) +
                    " is " + shown(merge) + " (expected \"a b\" or [\"a\", \"b\"]). " +
                    "Fetch or save the tokenizer again.");
  }
}

void read_added_tokens(const json& root, TokenizerSpec& spec, const std::string& name) {
  if (!root.contains("added_tokens")) return;
  for (const json& entry : member(root, "added_tokens", json::value_t::array, name)) {
    const std::string where = name + ": added token " + shown(entry);
    AddedToken token;
    token.content = member(entry, "content", json::value_t::string, where);
    const json& id = member(entry, "id", json::value_t::number_unsigned, where);
    if (token.content.empty() || id > (1 << 30))
      throw IoError(where + ": has no text or too large an id (at most " + std::to_string(1 << 30) +
                    "). Fetch or save the tokenizer again.");
    token.id = id.get<int>();
    const auto flag = [&](const char* key) {
      require_one_of(entry, key, {false, true, nullptr}, where);
      return entry.contains(key) && entry[key] == true;
    };
    token.special = flag("special");
    token.normalized = flag("normalized");
    token.lstrip = flag("lstrip");
    token.rstrip = flag("rstrip");
    token.single_word = flag("single_word");
    spec.added.push_back(std::move(token));
  }
}

}  // namespace

TokenizerSpec parse_tokenizer_json(std::string_view text, const std::string& name) {
  const json root = parse(text, name);
  TokenizerSpec spec;
  read_model(root, spec, name);
  read_pipeline(root, spec, name);
  read_added_tokens(root, spec, name);
  complete(spec, name);
  return spec;
}

TokenizerSpec parse_vocab_and_merges(std::string_view vocab, const std::string& vocab_name,
                                     std::string_view merges, const std::string& merges_name) {
  const json root = parse(vocab, vocab_name);
  if (!root.is_object())
    throw IoError(vocab_name + ": is of type " + root.type_name() +
                  " (expected an object, token to id). Fetch or save the tokenizer again.");
  TokenizerSpec spec;
  spec.pattern = qwen2_split_pattern;
  read_vocabulary(root, spec, vocab_name);
  while (!merges.empty()) {
    const std::size_t end = std::min(merges.find('\n'), merges.size());
    std::string_view line = merges.substr(0, end);
    merges.remove_prefix(std::min(end + 1, merges.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty() && !line.starts_with("#version")) add_merge(spec, line, merges_name);
  }
  int next = static_cast<int>(spec.model.size());
  for (const char* content : qwen2_vl_specials) {
    const auto found = spec.model.find(content);
    spec.added.push_back({content, found == spec.model.end() ? next++ : found->second});
  }
  complete(spec, vocab_name);
  return spec;
}

}  // namespace vlmark::data
