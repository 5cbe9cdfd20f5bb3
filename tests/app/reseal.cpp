// Judges a record again and seals its folder, as a forger of records would: what is left to find is
// what no seal can say (docs/verification.md).
//
//   reseal FOLDER            result.json and all seals
//   reseal FOLDER seals      the seals alone

#include <iostream>
#include <string_view>

#include "src/io/file.hpp"
#include "src/io/record_seal.hpp"
#include "src/io/results_folder.hpp"
#include "src/io/results_seal.hpp"
#include "src/judge/judge.hpp"

int main(int argc, char** argv) try {
  using namespace vlmark;
  const std::filesystem::path folder = argv[1];
  io::seal_record(io::record_path(folder));
  if (argc == 2)
    io::write_text_file(folder / "result.json",
                        judge::result_json(judge::judge(io::read_record(folder))));
  io::seal_results(folder);
  return 0;
} catch (const std::exception& e) {
  std::cerr << "reseal: " << e.what() << '\n';
  return 1;
}
