#include "src/io/json_text.hpp"

#include <set>
#include <vector>

#include "src/base/error.hpp"
#include "src/base/json_depth.hpp"
#include "src/io/json_check.hpp"

namespace vlmark::io {

nlohmann::json parse_json(std::string_view text, const std::string& where) {
  using Event = nlohmann::json::parse_event_t;
  require_json_depth(text, where);
  std::vector<std::set<std::string>> keys;  // of the objects that are open
  const auto refuse_repetition = [&](int, Event event, const nlohmann::json& parsed) {
    if (event == Event::object_start) keys.emplace_back();
    if (event == Event::object_end) keys.pop_back();
    if (event == Event::key && !keys.back().insert(parsed.get<std::string>()).second)
      throw IoError(where + ": the key '" + parsed.get<std::string>() +
                    "' stands twice (which of the two is meant is not clear). Remove one of them");
    return true;
  };
  try {
    return nlohmann::json::parse(text, refuse_repetition);
  } catch (const nlohmann::json::exception& e) {
    throw IoError(where + ": is not valid JSON (" + e.what() +
                  "). Correct the file, or fetch it again");
  }
}

void require_strict_json(std::string_view text, const std::string& where) {
  parse_json(text, where);
}

std::string shown(const nlohmann::json& value) {
  const std::string text = value.dump(-1, ' ', true);
  return text.size() <= 120 ? text : text.substr(0, 117) + "...";
}

}  // namespace vlmark::io
