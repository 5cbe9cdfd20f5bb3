#pragma once

// Private to the box: includes nlohmann_json.

#include <optional>
#include <string>
#include <vector>

#include "src/io/json_text.hpp"

namespace vlmark::io {

/// The number, where it is whole and fits an int. Some writers give whole numbers as 4.0.
std::optional<int> whole_number(const nlohmann::json& value);

/// Reads typed values of JSON objects and collects every problem instead of stopping at the first.
/// A key is looked up in the objects in order; null counts as absent. Two objects that give the
/// same key different values are a problem: which of them is meant is not clear.
class JsonFields {
 public:
  struct Layer {
    std::string prefix;  ///< "text_config.": begins the key's name in a problem
    const nlohmann::json* object;
  };
  JsonFields(std::vector<Layer> layers, std::vector<std::string>& problems)
      : layers_(std::move(layers)), problems_(problems) {}

  bool has(const std::string& key) { return find(key).value != nullptr; }
  /// The objects under `key`, of every layer; a value of another type is a problem.
  std::vector<Layer> objects(const std::string& key);
  /// Null when absent.
  const nlohmann::json* value(const std::string& key) { return find(key).value; }

  /// The value, else `fallback`; with neither, a problem and 0.
  int integer(const std::string& key, std::optional<int> fallback = std::nullopt);
  double number(const std::string& key, double fallback);
  bool boolean(const std::string& key, bool fallback);
  std::string text(const std::string& key, const std::string& fallback);

  /// A problem with both values unless the key is absent or has the value that is supported.
  void require(const std::string& key, const nlohmann::json& supported, const std::string& why);
  void add(const std::string& problem) { problems_.push_back(problem); }

 private:
  struct Found {
    std::string name;  ///< with its prefix
    const nlohmann::json* value = nullptr;
  };
  Found find(const std::string& key);
  void wrong_type(const Found& found, const char* expected);

  std::vector<Layer> layers_;
  std::vector<std::string>& problems_;
};

}  // namespace vlmark::io
