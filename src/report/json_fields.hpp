#pragma once

// Private to the box: includes nlohmann_json.

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace vlmark::report {

/// Required values of an object; what is wrong with them is collected. "fom.value" is the value
/// within the object "fom".
class Fields {
 public:
  /// `within`: begins the names in `problems`, "rows[3].".
  Fields(const nlohmann::json& root, std::vector<std::string>& problems, std::string within = "")
      : root_(root), problems_(problems), within_(std::move(within)) {}

  std::string text(const std::string& key);
  /// "" where the key is absent; may be empty.
  std::string optional_text(const std::string& key);
  bool boolean(const std::string& key);
  int integer(const std::string& key, int least);
  double positive(const std::string& key);
  double number(const std::string& key, const char* expected,
                const std::function<bool(double)>& accepts);
  std::vector<std::string> texts(const std::string& key);
  /// Null where it is absent.
  const nlohmann::json* array(const std::string& key);
  void require(const std::string& key, bool holds, const char* expected);

 private:
  const nlohmann::json* find(const std::string& key) const;
  void wrong(const std::string& key, const nlohmann::json* value, const std::string& expected);

  const nlohmann::json& root_;
  std::vector<std::string>& problems_;
  std::string within_;
};

/// The first problems in one line, and how many more there are.
std::string listed(const std::vector<std::string>& problems);

}  // namespace vlmark::report
