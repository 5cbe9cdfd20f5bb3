#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "parallel/agree.hpp"
#include "parallel/clock_offset.hpp"
#include "parallel/nccl_communicator.hpp"
#include "parallel/phase.hpp"
#include "parallel/run_ranks.hpp"
#include "parallel/scalars.hpp"
#include "parallel/shuffled_communicator.hpp"
#include "src/app/captions.hpp"
#include "src/app/commands.hpp"
#include "src/app/progress.hpp"
#include "src/app/provenance.hpp"
#include "src/base/clock.hpp"
#include "src/base/device_memory.hpp"
#include "src/base/error.hpp"
#include "src/base/fault.hpp"
#include "src/base/isa.hpp"
#include "src/base/memory.hpp"
#include "src/engine/device.hpp"
#include "src/engine/kernel_choice.hpp"
#include "src/io/journal_records.hpp"
#include "src/io/model_folder.hpp"
#include "src/io/record.hpp"
#include "src/io/results_folder.hpp"
#include "src/recipe/run_settings.hpp"
#include "src/report/verdict.hpp"
#include "src/train/trainer.hpp"

namespace vlmark::app {
namespace {

namespace fs = std::filesystem;
using parallel::Communicator;

config::RunConfig read_config(const RunOptions& options, Communicator& comm) {
  return parallel::agree(comm, "run description", [&] {
    config::RunConfig config = config::load(options.config, options.set);
    recipe::training_settings(config, recipe::model_of(config.model), comm.size());
    progress_style(options.progress);
    return config;
  });
}

/// Everything the rules say about the run, the same on every rank. Collective.
std::vector<io::Verification> verify(train::Trainer& trainer, Communicator& comm,
                                     double loss_ratio_limit, io::JournalWriter& journal) {
  engine::TrainingEngine& engine = trainer.engine();
  parallel::set_phase("verification");
  std::vector<io::Verification> checks;
  verification::Report report = trainer.verify();
  for (io::Verification& check : report.checks) checks.push_back(std::move(check));
  for (const io::PlanValue& seconds : report.seconds) io::append(journal, seconds);
  const auto non_finite = static_cast<std::uint64_t>(
      parallel::all_reduce_max(comm, static_cast<std::int64_t>(engine.non_finite_parameters())));
  for (auto& check : report::loss_checks(trainer.losses(), trainer.grad_norms(), non_finite,
                                         trainer.model().config().vocab, loss_ratio_limit))
    checks.push_back(std::move(check));
  checks.push_back(
      report::replica_check("hash of parameters", comm.size(), engine.differing_ranks()));
  return checks;
}

/// Collective: rank 0 writes.
void export_model(train::Trainer& trainer, const config::RunConfig& config, const fs::path& folder,
                  int rank) {
  const auto visit = [&](const plan::TensorVisit& take) {
    trainer.engine().collect_parameters(take);
  };
  if (rank != 0) {
    visit({});
    return;
  }
  io::write_model_folder(
      folder, trainer.model().config(), trainer.model().table(), visit, {config.model.precision},
      {.min_pixels = config.data.min_pixels, .max_pixels = config.data.max_pixels},
      config.data.tokenizer);
}

void note_plan_and_memory(io::JournalWriter& journal, const train::Trainer& trainer,
                          std::int64_t measured) {
  std::int64_t planned = engine::kernel_scratch_bytes();
  for (const plan::MemoryItem& item : trainer.plan().items) {
    io::append(journal, io::PlanValue{"memory." + item.category, static_cast<double>(item.bytes)});
    planned += item.bytes;
  }
  io::append(journal, io::PlanValue{"memory.kernel_scratch",
                                    static_cast<double>(engine::kernel_scratch_bytes())});
  io::append(journal, io::PlanValue{"flops", static_cast<double>(trainer.plan().flops.total())});
  io::append(journal, io::MemoryPeak{"total", planned, measured});
}

std::string result_json(const std::vector<io::Verification>& checks, const report::Claim& claim,
                        const std::vector<CaptionAnswer>& answers, const fs::path& record) {
  nlohmann::json j{{"valid", report::valid(checks)},
                   {"official", false},
                   {"fom", claim.fom},
                   {"value", claim.value},
                   {"model", claim.model},
                   {"precision", claim.precision},
                   {"ranks", claim.ranks},
                   {"instruction_set", claim.instruction_set},
                   {"steps", claim.steps},
                   {"untimed_steps", claim.untimed_steps},
                   {"record", record.string()},
                   {"rules", io::kRulesVersion}};
  for (const auto& c : checks)
    j["checks"].push_back({{"rule", c.rule},
                           {"item", c.item},
                           {"value", c.value},
                           {"limit", c.limit},
                           {"passed", c.passed}});
  for (const auto& a : answers)
    j["captions"].push_back({{"file", a.file},
                             {"truth", a.truth},
                             {"answer", a.answer},
                             {"grey_answer", a.grey_answer}});
  return j.dump();
}

int run(Communicator& comm, const RunOptions& options) {
  const std::string started = utc_now();
  const config::RunConfig config = read_config(options, comm);
  const auto shuffled = config.test.fault == Fault::shuffled_collective
                            ? parallel::shuffled_communicator(comm)
                            : nullptr;
  const fs::path folder = config.output.folder;
  parallel::agree(comm, "results folder", [&] {
    if (comm.rank() == 0) io::create_results_folder(folder, config.output.overwrite);
  });
  engine::adopt_kernel_choice(comm);
  if (config.test.fault != Fault::none && comm.rank() == 0)
    fmt::print(stderr,
               "test.fault = {}: a planted error, reserved for tests; this run must end INVALID\n",
               name_of(config.test.fault));
  plant_fault(config.test.fault);
  const std::int64_t baseline = peak_resident_bytes();
  train::Trainer trainer(config, shuffled ? *shuffled : comm);

  const auto journal = parallel::agree(comm, "journal", [&] {
    return std::make_unique<io::JournalWriter>(io::journal_path(folder, comm.rank()), comm.rank(),
                                               comm.size());
  });
  for (const io::Text& text : provenance(config, comm)) io::append(*journal, text);
  const parallel::ClockOffset clock = parallel::estimate_clock_offset(comm);
  io::append(*journal, io::ClockOffset{clock.offset_ns, clock.error_ns});
  const ProgressStyle style = progress_style(options.progress);
  trainer.run(*journal, [style](const train::Progress& progress) { show(progress, style); });
  const std::int64_t measured = peak_resident_bytes() - baseline;

  auto checks = verify(trainer, comm, config.verify.loss_ratio_limit, *journal);
  std::vector<CaptionAnswer> answers;
  if (config.control.captions || config.control.grey) {
    answers = ask_captions(trainer, comm, config.control.grey, config.control.max_new_tokens);
    if (config.control.grey) checks.push_back(grey_check(answers, config.control.max_grey_right));
  }
  if (config.test.fault != Fault::none)  // whatever the rules found
    checks.push_back({"test", "planted " + std::string(name_of(config.test.fault)), 1, 0, false});
  parallel::set_phase("record");
  if (config.output.export_model) export_model(trainer, config, folder / "model", comm.rank());
  if (comm.rank() == 0)  // the same on every rank
    for (const io::Verification& check : checks) io::append(*journal, check);
  note_plan_and_memory(*journal, trainer, measured);
  io::append_kernels(*journal, counters());
  journal->close();
  io::merge_journals(comm, folder, record_header(started));

  const report::Claim claim{
      .value = static_cast<double>(trainer.window_work().positions()) / trainer.window_seconds(),
      .model = trainer.model().config().name,
      .precision = std::string(name_of(config.model.precision)),
      .instruction_set = instruction_set(),
      .ranks = comm.size(),
      .steps = config.train.steps,
      .untimed_steps = trainer.untimed_steps()};
  if (comm.rank() == 0) {
    if (!answers.empty() && !options.json) fmt::print("\n{}", caption_table(answers));
    if (options.json)
      fmt::print("{}\n", result_json(checks, claim, answers, io::record_path(folder)));
    else
      fmt::print("\nrecord: {}\n", io::record_path(folder).string());
    fmt::print(options.json ? stderr : stdout, "{}\n", report::result_line(checks, claim));
  }
  return static_cast<int>(report::valid(checks) ? ExitCode::ok : ExitCode::invalid);
}

}  // namespace

int run_command(int argc, char** argv, const RunOptions& options) {
  return parallel::run_ranks(argc, argv, [&](Communicator& comm) {
    const auto device =
        parallel::agree(comm, "device", [] { return std::make_unique<engine::Device>(); });
    if constexpr (kDeviceTransport)
      return run(*parallel::nccl_communicator(comm.split(0, comm.rank())), options);
    else
      return run(comm, options);
  });
}

}  // namespace vlmark::app
