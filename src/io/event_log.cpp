#include "src/io/event_log.hpp"

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "src/base/clock.hpp"
#include "src/base/error.hpp"
#include "src/base/sha256.hpp"
#include "src/io/file.hpp"

namespace vlmark::io {
namespace {

const std::string kNothingBefore(64, '0');

std::string hash_of(const std::string& line) {
  return sha256_hex({reinterpret_cast<const std::uint8_t*>(line.data()), line.size()});
}

std::filesystem::path path_of(const std::filesystem::path& folder) {
  return folder / "events.jsonl";
}

}  // namespace

EventLog::EventLog(const std::filesystem::path& folder)
    : path_(path_of(folder)), previous_(kNothingBefore) {
  std::ofstream(path_, std::ios::trunc).flush();
}

void EventLog::note(const std::string& event, const Fields& fields) {
  nlohmann::ordered_json json{{"n", count_++}, {"utc", utc_now()}, {"event", event}};
  for (const auto& [key, value] : fields) json[key] = value;
  json["previous"] = previous_;
  const std::string line = json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  std::ofstream file(path_, std::ios::app);
  file << line << '\n';
  file.flush();
  if (!file)
    throw IoError(path_.string() +
                  ": cannot be written (the run would have no history). Free space in the folder");
  previous_ = hash_of(line);
}

std::vector<std::string> broken_links(const std::filesystem::path& folder) {
  const std::filesystem::path path = path_of(folder);
  std::istringstream lines(read_text_file(path));
  std::vector<std::string> broken;
  std::string previous = kNothingBefore;
  int n = 0;
  for (std::string line; std::getline(lines, line); ++n, previous = hash_of(line)) {
    const std::string where = path.string() + ": line " + std::to_string(n + 1);
    const auto json = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object() || !json.contains("n") || !json.contains("previous"))
      broken.push_back(where + " is no event");
    else if (json["n"] != n)
      broken.push_back(where + " is event " + json["n"].dump());
    else if (json["previous"] != previous)
      broken.push_back(where + " does not follow the line before it, which was changed");
  }
  if (n == 0) broken.push_back(path.string() + ": is empty");
  return broken;
}

}  // namespace vlmark::io
