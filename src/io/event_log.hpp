#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace vlmark::io {

/// What happened in a run, in order: `events.jsonl`, one JSON object a line with its number, time,
/// what happened, and the SHA-256 of the line before, so that no line can be changed, taken out or
/// put in without a change of all that follow. Written line by line, so a killed run leaves what it
/// got to.
class EventLog {
 public:
  /// In `folder`, from nothing. Throws IoError.
  explicit EventLog(const std::filesystem::path& folder);

  using Fields = std::vector<std::pair<std::string, std::string>>;
  /// Throws IoError.
  void note(const std::string& event, const Fields& fields = {});

 private:
  std::filesystem::path path_;
  std::string previous_;
  int count_ = 0;
};

/// What is wrong with a chain, one text each with the number of the line; empty: nothing. Throws
/// IoError where there is no log.
std::vector<std::string> broken_links(const std::filesystem::path& folder);

}  // namespace vlmark::io
