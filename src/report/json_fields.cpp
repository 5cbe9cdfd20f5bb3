#include "src/report/json_fields.hpp"

#include <algorithm>
#include <cmath>

namespace vlmark::report {

using Json = nlohmann::json;

std::string Fields::text(const std::string& key) {
  const Json* value = find(key);
  if (value && value->is_string() && !value->get_ref<const std::string&>().empty())
    return value->get<std::string>();
  wrong(key, value, "a text");
  return {};
}

std::string Fields::optional_text(const std::string& key) {
  const Json* value = find(key);
  if (value && value->is_string()) return value->get<std::string>();
  if (value) wrong(key, value, "a text");
  return {};
}

bool Fields::boolean(const std::string& key) {
  const Json* value = find(key);
  if (value && value->is_boolean()) return value->get<bool>();
  wrong(key, value, "true or false");
  return false;
}

int Fields::integer(const std::string& key, int least) {
  const Json* value = find(key);
  if (value && value->is_number_integer()) {
    const double number = value->get<double>();
    if (number >= least && number < 2147483648.0) return static_cast<int>(number);
  }
  wrong(key, value, "a whole number of at least " + std::to_string(least));
  return least;
}

double Fields::positive(const std::string& key) {
  return number(key, "a positive number", [](double x) { return x > 0; });
}

double Fields::number(const std::string& key, const char* expected,
                      const std::function<bool(double)>& accepts) {
  const Json* value = find(key);
  if (value && value->is_number()) {
    const double number = value->get<double>();
    if (std::isfinite(number) && accepts(number)) return number;
  }
  wrong(key, value, expected);
  return 1;
}

std::vector<std::string> Fields::texts(const std::string& key) {
  std::vector<std::string> texts;
  const Json* value = find(key);
  if (value && value->is_array())
    for (const Json& item : *value)
      if (item.is_string()) texts.push_back(item.get<std::string>());
  if (!value || !value->is_array() || texts.size() != value->size())
    wrong(key, value, "a list of texts");
  return texts;
}

const Json* Fields::array(const std::string& key) {
  const Json* value = find(key);
  if (value && value->is_array()) return value;
  wrong(key, value, "a list");
  return nullptr;
}

void Fields::require(const std::string& key, bool holds, const char* expected) {
  if (const Json* value = find(key); value && !holds) wrong(key, value, expected);
}

const Json* Fields::find(const std::string& key) const {
  const Json* at = &root_;
  for (std::size_t start = 0; at && start <= key.size();) {
    const std::size_t dot = std::min(key.find('.', start), key.size());
    const auto found = at->is_object() ? at->find(key.substr(start, dot - start)) : at->end();
    at = at->is_object() && found != at->end() ? &*found : nullptr;
    start = dot + 1;
  }
  return at;
}

void Fields::wrong(const std::string& key, const Json* value, const std::string& expected) {
  std::string shown = value ? value->dump(-1, ' ', true) : "";
  if (shown.size() > 120) shown = shown.substr(0, 117) + "...";
  problems_.push_back("'" + within_ + key + "' is " + (value ? shown : "absent") + " (expected " +
                      expected + ")");
}

std::string listed(const std::vector<std::string>& problems) {
  constexpr std::size_t most = 20;
  std::string all;
  for (std::size_t i = 0; i < std::min(most, problems.size()); ++i)
    all += (i == 0 ? "" : ", ") + problems[i];
  if (problems.size() > most) all += " and " + std::to_string(problems.size() - most) + " more";
  return all;
}

}  // namespace vlmark::report
