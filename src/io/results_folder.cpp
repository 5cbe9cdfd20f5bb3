#include "src/io/results_folder.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <string>

#include "src/base/error.hpp"
#include "src/io/file.hpp"

namespace vlmark::io {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const fs::path& folder, const std::string& why) {
  throw IoError(folder.string() + ": the results folder cannot be written (" + why +
                "). Choose another folder or free this one");
}

}  // namespace

fs::path record_path(const fs::path& folder) { return folder / "samples.h5"; }

void create_results_folder(const fs::path& folder, bool overwrite) {
  const fs::path journals = folder / "journals", record = record_path(folder);
  std::error_code failure;
  const bool has_record = fs::exists(record, failure);
  const bool has_journals = fs::is_directory(journals, failure) && !fs::is_empty(journals, failure);
  if ((has_record || has_journals) && !overwrite)
    throw IoError(folder.string() + ": holds " +
                  (has_record ? "the record of an earlier run (samples.h5)"
                              : "the journals of a run that did not end") +
                  " (results are never overwritten unasked). Choose another folder, or ask to "
                  "overwrite");
  if (overwrite)
    // The result first: what is left of an overwritten run must not pass as a whole one.
    for (const char* old :
         {"result.json", "manifest.sha256", "blocks.json", "samples.h5", "samples.h5.tmp",
          "journals", "events.jsonl", "topology.xml", "env.allowlist.json", "report.html"}) {
      fs::remove_all(folder / old, failure);
      if (failure) refuse(folder, (folder / old).string() + ": " + failure.message());
    }
  fs::create_directories(journals, failure);
  if (failure) refuse(folder, failure.message());
  const fs::path probe = folder / ".writable";
  try {
    write_text_file(probe, "");
  } catch (const IoError& e) {
    refuse(folder, e.what());
  }
  fs::remove(probe, failure);
}

std::optional<int> launch_number(const fs::path& folder) {
  const std::string name = folder.filename().string();
  if (!name.starts_with("run-")) return std::nullopt;
  int number = 0;
  const char* end = name.data() + name.size();
  const auto [rest, error] = std::from_chars(name.data() + 4, end, number);
  if (error != std::errc() || rest != end || number < 0) return std::nullopt;
  return number;
}

std::vector<fs::path> launches_of(const fs::path& series) {
  std::map<int, fs::path> folders;
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator(series, failure)) {
    const auto number = launch_number(entry.path());
    if (number.value_or(0) > 0 && entry.is_directory()) folders.emplace(*number, entry.path());
  }
  std::vector<fs::path> launches;
  for (const auto& [number, folder] : folders) launches.push_back(folder);
  return launches;
}

Launch next_launch(const fs::path& series, int declared) {
  if (fs::exists(record_path(series)))
    refuse(series,
           "it holds the record of a single run, not " + std::to_string(declared) + " launches");
  const fs::path note = series / "declared-repetitions";
  std::error_code failure;
  fs::create_directories(series, failure);
  if (failure) refuse(series, failure.message());
  const std::vector<fs::path> before = launches_of(series);
  if (before.empty()) {
    write_text_file(note, std::to_string(declared) + "\n");
  } else {
    const std::string text = read_text_file(note);
    if (text != std::to_string(declared) + "\n")
      refuse(series, "it was declared for " + text.substr(0, text.find('\n')) +
                         " launches before the first, now " + std::to_string(declared) +
                         " are asked for");
  }
  if (!before.empty() && before.back().filename() != "run-" + std::to_string(before.size()))
    refuse(series, "it holds " + before.back().filename().string() + " but " +
                       std::to_string(before.size()) +
                       " launches: one was taken away, and every launch is reported");
  const auto failed = std::count_if(before.begin(), before.end(), [](const fs::path& folder) {
    return !fs::exists(record_path(folder));
  });
  const int most = declared + static_cast<int>(std::min<std::ptrdiff_t>(failed, 1)),
            done = static_cast<int>(before.size());
  if (done >= most)
    refuse(series, "its " + std::to_string(declared) + " launches are done, " +
                       std::to_string(failed) +
                       " of them failed; the best of more may not be "
                       "chosen");
  return {series / ("run-" + std::to_string(done + 1)), done + 1};
}

}  // namespace vlmark::io
