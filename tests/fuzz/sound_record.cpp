#include "tests/fuzz/sound_record.hpp"

#include "parallel/self_communicator.hpp"
#include "src/io/record.hpp"
#include "src/io/results_folder.hpp"

namespace vlmark::fuzz {

void make_results(const std::filesystem::path& folder) {
  io::create_results_folder(folder, false);
  io::JournalWriter journal(io::journal_path(folder, 0), 0, 1);
  for (std::int64_t step = 1; step < 3; ++step) {
    append(journal, io::StepTiming{step, 10 * step, 10 * step + 5, {1, 2, 3}});
    append(journal, io::StepScalars{step, 1.5, 0.25, 1e-3, {7, 8, 9, 10, 11, 12}});
    append(journal, io::StepCounters{step, {1, 2, 3, 4, 5}, {6, 7, 8, 9, 10}, 11, 12});
    append(journal, io::ActionTiming{step, 0, 0, 4, -1, 100, 200});
  }
  append(journal, io::ClockOffset{-44, 7});
  append(journal, io::MemoryPeak{"parameters", 1000, 1001});
  append(journal, io::Verification{"V5", "loss falls", 0.2, 0.5, true});
  append(journal, io::Text{"config", "seed = 1\n"});
  append(journal, io::Text{"provenance/compiler", "g++ 12"});
  append(journal, io::KernelUse{"gemm f32 1x2x3 nt", "onednn", 9});
  append(journal, io::PlanValue{"decoder.flops", 1e15});
  journal.close();
  const auto self = parallel::self_communicator();
  io::merge_journals(
      *self, folder,
      {"measured", "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z", {"load"}, {"compute"}});
}

}  // namespace vlmark::fuzz
