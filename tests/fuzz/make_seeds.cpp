// Writes a journal with every kind of record and the record made of it: make_seeds JOURNAL RECORD.
#include "src/io/journal.hpp"
#include "src/io/results_folder.hpp"
#include "tests/fuzz/input_folder.hpp"
#include "tests/fuzz/sound_record.hpp"

using namespace vlmark;

int main(int argc, char** argv) {
  fuzz::require(argc == 3, "make_seeds JOURNAL RECORD");
  const auto& folder = fuzz::input_folder();
  fuzz::make_results(folder);
  std::filesystem::copy_file(io::journal_path(folder, 0), argv[1]);
  std::filesystem::copy_file(io::record_path(folder), argv[2]);
  return 0;
}
