#include "src/io/json_fields.hpp"

#include <cmath>
#include <limits>

namespace vlmark::io {

std::optional<int> whole_number(const nlohmann::json& value) {
  const double number = value.is_number() ? value.get<double>() : 0.5;
  if (number != std::floor(number) || std::abs(number) > std::numeric_limits<int>::max())
    return std::nullopt;
  return static_cast<int>(number);
}

JsonFields::Found JsonFields::find(const std::string& key) {
  Found found;
  for (const auto& [prefix, object] : layers_) {
    const auto at = object->find(key);
    if (at == object->end() || at->is_null()) continue;
    if (found.value == nullptr) {
      found = {prefix + key, &*at};
    } else if (*found.value != *at) {
      const std::string problem = found.name + ": " + shown(*found.value) + " but " + prefix + key +
                                  " is " + shown(*at) + " (which is meant is not clear)";
      if (problems_.empty() || problems_.back() != problem) problems_.push_back(problem);
    }
  }
  return found;
}

void JsonFields::wrong_type(const Found& found, const char* expected) {
  problems_.push_back(found.name + ": " + shown(*found.value) + " (expected " + expected + ")");
}

std::vector<JsonFields::Layer> JsonFields::objects(const std::string& key) {
  std::vector<Layer> objects;
  for (const auto& [prefix, object] : layers_) {
    const auto at = object->find(key);
    if (at == object->end() || at->is_null()) continue;
    if (at->is_object())
      objects.push_back({prefix + key + ".", &*at});
    else
      wrong_type({prefix + key, &*at}, "an object");
  }
  return objects;
}

int JsonFields::integer(const std::string& key, std::optional<int> fallback) {
  const Found found = find(key);
  if (found.value == nullptr) {
    if (!fallback) problems_.push_back(layers_.front().prefix + key + ": is absent");
    return fallback.value_or(0);
  }
  if (const auto value = whole_number(*found.value)) return *value;
  wrong_type(found, "a whole number below 2^31");
  return fallback.value_or(0);
}

double JsonFields::number(const std::string& key, double fallback) {
  const Found found = find(key);
  if (found.value == nullptr) return fallback;
  if (found.value->is_number()) return found.value->get<double>();
  wrong_type(found, "a number");
  return fallback;
}

bool JsonFields::boolean(const std::string& key, bool fallback) {
  const Found found = find(key);
  if (found.value == nullptr) return fallback;
  if (found.value->is_boolean()) return found.value->get<bool>();
  wrong_type(found, "true or false");
  return fallback;
}

std::string JsonFields::text(const std::string& key, const std::string& fallback) {
  const Found found = find(key);
  if (found.value == nullptr) return fallback;
  if (found.value->is_string()) return found.value->get<std::string>();
  wrong_type(found, "a string");
  return fallback;
}

void JsonFields::require(const std::string& key, const nlohmann::json& supported,
                         const std::string& why) {
  const Found found = find(key);
  if (found.value != nullptr && *found.value != supported)
    problems_.push_back(found.name + ": " + shown(*found.value) + " is not supported (only " +
                        shown(supported) + "; " + why + ")");
}

}  // namespace vlmark::io
