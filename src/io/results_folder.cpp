#include "src/io/results_folder.hpp"

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
    for (const fs::path& old : {record, fs::path(record.string() + ".tmp"), journals}) {
      fs::remove_all(old, failure);
      if (failure) refuse(folder, old.string() + ": " + failure.message());
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

}  // namespace vlmark::io
