#include <toml++/toml.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <sstream>

#include "src/base/error.hpp"
#include "src/config/edit_distance.hpp"
#include "src/config/fields.hpp"

namespace vlmark::config {
namespace {

/// A value as somebody wrote it.
struct Given {
  std::unique_ptr<toml::node> node;  ///< null: an override that is no TOML value
  std::string raw;                   ///< the text of an override
  std::string where;                 ///< "quickstart.toml:7" or "--set"
  bool is_override = false;
  bool known = false;  ///< some field asked for it
};

std::string kind_of(const Given& given) {
  if (!given.node) return "the text '" + given.raw + "'";
  std::ostringstream text;
  const auto scalar = [&](std::string_view kind) {
    text << kind;
    given.node->visit([&](const auto& n) {
      if constexpr (toml::is_value<decltype(n)>) text << n;
    });
  };
  switch (given.node->type()) {
    case toml::node_type::string:
      scalar("the string ");
      break;
    case toml::node_type::integer:
      scalar("the integer ");
      break;
    case toml::node_type::floating_point:
      scalar("the float ");
      break;
    case toml::node_type::boolean:
      scalar("the boolean ");
      break;
    case toml::node_type::array:
      text << "an array";
      break;
    case toml::node_type::table:
      text << "a table";
      break;
    default:
      scalar("the date or time ");
  }
  return text.str();
}

/// Reads every field it is shown from what was given; keeps the default where nothing was.
class Reader {
 public:
  Reader(std::map<std::string, Given>& given, std::vector<std::string>& problems)
      : given_(given), problems_(problems) {}

  void table(std::string_view name, std::string_view) { table_ = name; }

  template <class T, class... Rule>
  void field(std::string_view name, T& value, std::string_view, const Rule&...) {
    const auto at = given_.find(table_ + "." + std::string(name));
    if (at == given_.end()) return;
    at->second.known = true;
    const std::string expected = read(at->second, value);
    if (expected.empty()) return;
    problems_.push_back(at->second.where + ": " + at->first + " is " + kind_of(at->second) +
                        " (expected " + expected + "). Write for example " + std::string(name) +
                        " = " + example(value));
  }

 private:
  // Each `read` gives what was expected, or nothing when the value is read.
  static std::string read(const Given& given, bool& value) {
    const auto found = given.node ? given.node->value_exact<bool>() : std::nullopt;
    if (!found) return "true or false";
    value = *found;
    return {};
  }
  static std::string read(const Given& given, std::int64_t& value) {
    const auto found = given.node ? given.node->value_exact<std::int64_t>() : std::nullopt;
    if (!found) return "an integer";
    value = *found;
    return {};
  }
  static std::string read(const Given& given, int& value) {
    std::int64_t wide = 0;
    if (std::string expected = read(given, wide); !expected.empty()) return expected;
    if (wide != static_cast<int>(wide))
      return "an integer of at most " + std::to_string(std::numeric_limits<int>::max());
    value = static_cast<int>(wide);
    return {};
  }
  static std::string read(const Given& given, double& value) {
    const bool number = given.node && given.node->is_number();
    if (!number) return "a number";
    value = *given.node->value<double>();
    return {};
  }
  static std::string read(const Given& given, std::string& value) {
    if (given.node && given.node->is_string())
      value = *given.node->value<std::string>();
    else if (given.is_override)
      value = given.raw;
    else
      return "a string";
    return {};
  }
  static std::string read(const Given& given, std::optional<bool>& value) {
    bool decided = false;
    std::string text;
    if (read(given, decided).empty())
      value = decided;
    else if (read(given, text).empty() && text == "default")
      value.reset();
    else
      return "true, false or \"default\"";
    return {};
  }
  static std::string read(const Given& given, DType& value) {
    return read_word(given, kPrecisions, value);
  }
  static std::string read(const Given& given, DataKind& value) {
    return read_word(given, kDataKinds, value);
  }
  static std::string read(const Given& given, Schedule& value) {
    return read_word(given, kSchedules, value);
  }
  static std::string read(const Given& given, Shapes& value) {
    return read_word(given, kShapes, value);
  }
  static std::string read(const Given& given, AttentionBackend& value) {
    return read_word(given, kAttentions, value);
  }
  static std::string read(const Given& given, SharedParameters& value) {
    return read_word(given, kSharedParameters, value);
  }
  static std::string read(const Given& given, Fault& value) {
    return read_word(given, kFaults, value);
  }
  template <class Word, std::size_t n>
  static std::string read_word(const Given& given, const Word (&words)[n], Word& value) {
    std::string text, expected;
    const bool is_text = read(given, text).empty();
    for (const Word word : words) {
      if (is_text && text == name_of(word)) {
        value = word;
        return {};
      }
      expected += (expected.empty() ? "\"" : " or \"") + std::string(name_of(word)) + "\"";
    }
    return expected;
  }

  static std::string example(const std::string&) { return "\"text\""; }
  static std::string example(bool) { return "true"; }
  static std::string example(int value) { return std::to_string(value); }
  static std::string example(std::int64_t value) { return std::to_string(value); }
  static std::string example(double value) {
    std::ostringstream text;
    text << value;
    return text.str();
  }
  static std::string example(const std::optional<bool>&) { return "true"; }
  static std::string example(DType value) { return "\"" + std::string(name_of(value)) + "\""; }
  static std::string example(DataKind value) { return "\"" + std::string(name_of(value)) + "\""; }
  static std::string example(Schedule value) { return "\"" + std::string(name_of(value)) + "\""; }
  static std::string example(SharedParameters value) {
    return "\"" + std::string(name_of(value)) + "\"";
  }
  static std::string example(Shapes value) { return "\"" + std::string(name_of(value)) + "\""; }
  static std::string example(AttentionBackend value) {
    return "\"" + std::string(name_of(value)) + "\"";
  }
  static std::string example(Fault value) { return "\"" + std::string(name_of(value)) + "\""; }

  std::map<std::string, Given>& given_;
  std::vector<std::string>& problems_;
  std::string table_;
};

/// Every `table.key` of the file. A table inside a table counts as one value: no field has it.
void collect(const toml::table& file, std::string_view source,
             std::map<std::string, Given>& given) {
  const auto add = [&](const std::string& key, const toml::node& node) {
    std::ostringstream where;
    where << source << ':' << node.source().begin.line;
    Given& entry = given[key];
    entry.where = where.str();
    node.visit(
        [&](const auto& n) { entry.node = std::make_unique<std::remove_cvref_t<decltype(n)>>(n); });
  };
  for (const auto& [name, node] : file) {
    const std::string table_name(name.str());
    const toml::table* table = node.as_table();
    if (!table || table->empty()) add(table_name, node);
    if (!table) continue;
    for (const auto& [key, value] : *table) add(table_name + "." + std::string(key.str()), value);
  }
}

void collect(const std::string& override_text, std::map<std::string, Given>& given,
             std::vector<std::string>& problems) {
  const auto equals = override_text.find('=');
  if (equals == std::string::npos || equals == 0) {
    problems.push_back("--set: '" + override_text +
                       "' names no key and value (nothing could be set). Write --set "
                       "table.key=value, for example --set train.steps=10");
    return;
  }
  Given entry;
  entry.is_override = true;
  entry.where = "--set";
  entry.raw = override_text.substr(equals + 1);
  if (entry.raw.find('\n') == std::string::npos) try {  // a line break could smuggle in more keys
      toml::table parsed = toml::parse("value = " + entry.raw);
      parsed.get("value")->visit([&](const auto& n) {
        entry.node = std::make_unique<std::remove_cvref_t<decltype(n)>>(n);
      });
    } catch (const toml::parse_error&) {
      // Plain text; right for a text field, and refused with its words by every other one.
    }
  given[override_text.substr(0, equals)] = std::move(entry);
}

void report_unknown(const std::map<std::string, Given>& given, std::vector<std::string>& problems) {
  const std::vector<std::string> known = known_keys();
  for (const auto& [key, value] : given) {
    if (value.known) continue;
    const std::string inside = key + ".";
    const bool is_table = std::any_of(known.begin(), known.end(), [&](const std::string& other) {
      return other.starts_with(inside);
    });
    if (is_table && value.node && value.node->is_table()) continue;  // present and empty: legal
    if (is_table)
      problems.push_back(value.where + ": " + key + " is " + kind_of(value) +
                         " (expected a table). Write [" + key + "] and its keys below");
    else
      problems.push_back(value.where + ": " + key +
                         " is not a known key (it would change nothing)"
                         ". Did you mean " +
                         nearest_key(key, known) + "?");
  }
}

}  // namespace

RunConfig parse(std::string_view toml, std::string_view source,
                const std::vector<std::string>& overrides) {
  std::vector<std::string> found;
  std::map<std::string, Given> given;
  try {
    collect(toml::parse(toml), source, given);
  } catch (const toml::parse_error& error) {
    std::ostringstream text;
    text << source << ':' << error.source().begin.line << ": is not TOML (" << error.description()
         << "). Mend column " << error.source().begin.column;
    found.push_back(text.str());
  }
  for (const auto& text : overrides) collect(text, given, found);

  RunConfig config;
  if (given.contains("model.folder") && !given.contains("model.preset")) config.model.preset = "";
  visit(config, Reader(given, found));
  report_unknown(given, found);
  if (!config.model.challenge.empty() && !given.contains("model.seed"))
    config.model.seed = challenge_seed(config.model.challenge);
  for (const auto& problem : problems(config)) found.push_back(problem);

  if (found.empty()) return config;
  std::string text;
  for (const auto& problem : found) text += (text.empty() ? "" : "\n") + problem;
  throw ConfigError(text);
}

RunConfig load(const std::filesystem::path& file, const std::vector<std::string>& overrides) {
  std::ifstream stream(file, std::ios::binary);
  std::error_code ignored;
  if (!stream || std::filesystem::is_directory(file, ignored))
    throw IoError(file.string() +
                  ": the run description cannot be read (no such file, or a folder)"
                  ". Check the path; configs/quickstart.toml is an example");
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  return parse(text, file.string(), overrides);
}

}  // namespace vlmark::config
