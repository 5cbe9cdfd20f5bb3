#include <charconv>
#include <cstdio>

#include "src/config/fields.hpp"

namespace vlmark::config {
namespace {

std::string basic_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04X", byte);
      out += escape;
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string literal(const std::string& value) { return basic_string(value); }
std::string literal(bool value) { return value ? "true" : "false"; }
std::string literal(int value) { return std::to_string(value); }
std::string literal(std::int64_t value) { return std::to_string(value); }
std::string literal(DType value) { return basic_string(name_of(value)); }
std::string literal(DataKind value) { return basic_string(name_of(value)); }
std::string literal(Schedule value) { return basic_string(name_of(value)); }
std::string literal(Shapes value) { return basic_string(name_of(value)); }
std::string literal(AttentionBackend value) { return basic_string(name_of(value)); }
std::string literal(SharedParameters value) { return basic_string(name_of(value)); }
std::string literal(Fault value) { return basic_string(name_of(value)); }
std::string literal(const std::optional<bool>& value) {
  return value ? literal(*value) : basic_string("default");
}
std::string literal(double value) {
  char buffer[32];  // the shortest text that reads back as the same double
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  std::string text(buffer, end);
  // TOML tells a float from an integer by its point or exponent.
  return text.find_first_of(".en") == std::string::npos ? text + ".0" : text;
}

struct Writer {
  std::string text;

  void table(std::string_view name, std::string_view comment) {
    if (!text.empty()) text += '\n';
    text.append("[").append(name).append("]  # ").append(comment) += '\n';
  }
  template <class T, class... Rule>
  void field(std::string_view name, const T& value, std::string_view comment, const Rule&...) {
    text.append(name).append(" = ").append(literal(value)).append("  # ").append(comment) += '\n';
  }
};

struct KeyList {
  std::vector<std::string> keys;
  std::string table_name;

  void table(std::string_view name, std::string_view) { table_name = name; }
  template <class... Rest>
  void field(std::string_view name, const Rest&...) {
    keys.push_back(table_name + "." + std::string(name));
  }
};

}  // namespace

std::string to_toml(const RunConfig& config) {
  Writer writer;
  visit(config, writer);
  return writer.text;
}

std::vector<std::string> known_keys() {
  KeyList list;
  const RunConfig defaults;
  visit(defaults, list);
  return list.keys;
}

}  // namespace vlmark::config
