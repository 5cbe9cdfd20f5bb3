#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "parallel/agree.hpp"
#include "parallel/binding.hpp"
#include "parallel/clock_offset.hpp"
#include "parallel/nccl_communicator.hpp"
#include "parallel/phase.hpp"
#include "parallel/placement.hpp"
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
#include "src/base/memory.hpp"
#include "src/engine/device.hpp"
#include "src/engine/kernel_choice.hpp"
#include "src/engine/machine_rates.hpp"
#include "src/io/event_log.hpp"
#include "src/io/file.hpp"
#include "src/io/journal_records.hpp"
#include "src/io/model_folder.hpp"
#include "src/io/record.hpp"
#include "src/io/results_folder.hpp"
#include "src/io/results_seal.hpp"
#include "src/judge/judge.hpp"
#include "src/recipe/run_settings.hpp"
#include "src/report/page.hpp"
#include "src/report/read_run.hpp"
#include "src/report/verdict.hpp"
#include "src/train/trainer.hpp"

namespace vlmark::app {
namespace {

namespace fs = std::filesystem;
using parallel::Communicator;

double seconds_since(std::int64_t ns) { return static_cast<double>(monotonic_ns() - ns) * 1e-9; }

config::RunConfig read_config(const RunOptions& options, Communicator& comm) {
  return parallel::agree(comm, "run description", [&] {
    std::vector<std::string> overrides = options.set;
    if (!options.challenge.empty()) {
      overrides.push_back("model.challenge=" + options.challenge);
      overrides.push_back("model.seed=" +
                          std::to_string(config::challenge_seed(options.challenge)));
    }
    config::RunConfig config = config::load(options.config, overrides);
    recipe::training_settings(config, recipe::model_of(config.model), comm.size());
    progress_style(options.progress);
    return config;
  });
}

/// What can be checked of the trained parameters, the same on every rank. Collective.
std::vector<io::Verification> check_parameters(engine::TrainingEngine& engine, Communicator& comm) {
  engine.gather_parameters();
  return {report::finite_check(static_cast<std::uint64_t>(parallel::all_reduce_max(
              comm, static_cast<std::int64_t>(engine.non_finite_parameters())))),
          report::replica_check("hash of parameters", comm.size(), engine.differing_ranks())};
}

/// Rule V9, the same on every rank.
io::Verification binding_check(const parallel::Placement& placement, bool official) {
  const auto problems = parallel::binding_problems(placement.places);
  const std::string first =
      problems.empty() ? "" : fmt::format("rank {} {}", problems[0].rank, problems[0].text);
  return report::binding_check(static_cast<int>(placement.places.size()),
                               static_cast<int>(problems.size()),
                               parallel::unknown_bindings(placement.places), first, official);
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

/// What the roofline of a report is drawn from. Collective.
void note_roofline(io::JournalWriter& journal, const train::Trainer& trainer, DType type,
                   Communicator& comm) {
  const engine::MachineRates rates = engine::measure_rates(type, comm);
  io::append(journal, io::PlanValue{"machine.flops_per_s", rates.flops_per_s});
  io::append(journal, io::PlanValue{"machine.bytes_per_s", rates.bytes_per_s});
  for (int part = 0; part < kParts; ++part) {
    const auto bytes = static_cast<double>(trainer.plan().traffic[static_cast<std::size_t>(part)]);
    io::append(journal, io::PlanValue{std::string("bytes.") + name_of(static_cast<Part>(part)),
                                      parallel::all_reduce_sum(comm, bytes) /
                                          static_cast<double>(trainer.planned_steps())});
  }
}

void note_plan_and_memory(io::JournalWriter& journal, const train::Trainer& trainer,
                          std::int64_t measured, std::int64_t with_verification) {
  std::int64_t planned = engine::kernel_scratch_bytes();
  for (const plan::MemoryItem& item : trainer.plan().items) {
    io::append(journal, io::PlanValue{"memory." + item.category, static_cast<double>(item.bytes)});
    planned += item.bytes;
  }
  io::append(journal, io::PlanValue{"memory.kernel_scratch",
                                    static_cast<double>(engine::kernel_scratch_bytes())});
  io::append(journal, io::PlanValue{"flops", static_cast<double>(trainer.plan().flops.total())});
  io::append(journal, io::MemoryPeak{"total", planned, measured});
  io::append(journal, io::MemoryPeak{"total, with verification", planned, with_verification});
}

/// What the judge needs besides the steps.
void note_run(io::JournalWriter& journal, const train::Trainer& trainer, const std::string& state,
              int repetition, double setup_seconds, double verification_seconds) {
  const auto value = [&journal](const char* name, double number) {
    io::append(journal, io::PlanValue{name, number});
  };
  io::append(journal, io::Text{"plan/manifest", to_json(trainer.manifest())});
  io::append(journal, io::Text{"plan/layout", to_string(trainer.layout())});
  io::append(journal, io::Text{"plan/state_hash", state});
  io::append(journal, io::Text{"provenance/model", trainer.model().config().name});
  value("window.untimed_steps", trainer.untimed_steps());
  value("window.wall_seconds", trainer.window_wall_seconds());
  value("window.repetition", repetition);
  value("setup.seconds", setup_seconds);
  value("verification.seconds", verification_seconds);
  value("verification.seconds_in_window", trainer.replay_seconds());
}

/// Rank 0: the judge's files and the report beside the record, and the seal over all of them.
judge::Judgement write_result(const fs::path& folder, io::EventLog& events) {
  const io::Record record = io::read_record(folder);
  judge::Judgement judgement = judge::judge(record);
  io::write_text_file(folder / "result.json", judge::result_json(judgement));
  io::write_text_file(folder / "topology.xml", record.texts.at("topology"));
  nlohmann::ordered_json environment;
  for (const auto& [place, text] : record.texts)
    if (place.starts_with("provenance/")) environment[place.substr(11)] = text;
  io::write_text_file(folder / "env.allowlist.json", environment.dump(2) + "\n");
  events.note("result", {{"verdict", judgement.valid() ? "VALID" : "INVALID"}});
  io::seal_results(folder);
  // Drawn from a sealed record, then part of it.
  io::write_text_file(folder / "report.html", report::report_page(report::read_report({folder})));
  io::seal_results(folder);
  return judgement;
}

/// The result with what is no part of it: where it lies, and what the model said.
std::string printed_json(const judge::Judgement& judgement,
                         const std::vector<CaptionAnswer>& answers, const fs::path& record) {
  auto json = nlohmann::ordered_json::parse(judge::result_json(judgement));
  json["record"] = record.string();
  for (const CaptionAnswer& a : answers)
    json["captions"].push_back({{"file", a.file},
                                {"truth", a.truth},
                                {"answer", a.answer},
                                {"grey_answer", a.grey_answer}});
  return json.dump();
}

/// The folder of this launch; rank 0 makes it.
io::Launch open_launch(const config::RunConfig& config, Communicator& comm) {
  const fs::path folder = config.output.folder;
  const int declared = config.window.repetitions;
  io::Launch launch{folder, 1};
  parallel::agree(comm, "results folder", [&] {
    if (comm.rank() != 0) return;
    if (declared > 1) launch = io::next_launch(folder, declared);
    io::create_results_folder(launch.folder, config.output.overwrite && declared == 1);
  });
  launch.index = static_cast<int>(parallel::broadcast_value(comm, std::int64_t{launch.index}));
  if (declared > 1) launch.folder = folder / ("run-" + std::to_string(launch.index));
  return launch;
}

/// Where the ranks run, in the order of the grid that the layout asks for. Collective.
parallel::Placement placement_of(const config::RunConfig& config, const std::string& gpu,
                                 Communicator& world) {
  const plan::Layout layout =
      recipe::training_settings(config, recipe::model_of(config.model), world.size()).layout;
  parallel::Placement placement = parallel::place_ranks(
      parallel::gather_places(world, parallel::read_place(gpu)), layout.pipeline, layout.tensor);
  if (world.rank() == 0)
    for (const std::string& line : {placement.note, placement.warning})
      if (!line.empty()) fmt::print(stderr, "vlmark: {}\n", line);
  return placement;
}

int run(Communicator& comm, const RunOptions& options, const config::RunConfig& config,
        const parallel::Placement& placement, std::int64_t began) {
  const std::string started = utc_now();
  const io::Launch launch = open_launch(config, comm);
  const fs::path& folder = launch.folder;
  std::optional<io::EventLog> events;
  const auto note = [&](const char* event, const io::EventLog::Fields& fields = {}) {
    if (events) events->note(event, fields);
  };
  if (comm.rank() == 0) events.emplace(folder);
  note("start", {{"rules", io::kRulesVersion},
                 {"repetition", std::to_string(launch.index)},
                 {"repetitions", std::to_string(config.window.repetitions)}});
  engine::adopt_kernel_choice(comm);
  if (config.test.fault != Fault::none && comm.rank() == 0)
    fmt::print(stderr,
               "test.fault = {}: a planted error, reserved for tests; this run must end INVALID\n",
               name_of(config.test.fault));
  plant_fault(config.test.fault);
  const std::int64_t baseline = peak_resident_bytes();
  const auto shuffled = config.test.fault == Fault::shuffled_collective
                            ? parallel::shuffled_communicator(comm)
                            : nullptr;
  train::Trainer trainer(config, shuffled ? *shuffled : comm);

  const auto journal = parallel::agree(comm, "journal", [&] {
    return std::make_unique<io::JournalWriter>(io::journal_path(folder, comm.rank()), comm.rank(),
                                               comm.size());
  });
  for (const io::Text& text : provenance(config, placement, comm)) io::append(*journal, text);
  const parallel::ClockOffset clock = parallel::estimate_clock_offset(comm);
  io::append(*journal, io::ClockOffset{clock.offset_ns, clock.error_ns});
  const double setup_seconds = parallel::all_reduce_max(comm, seconds_since(began));
  note("set up", {{"seconds", fmt::format("{:.3f}", setup_seconds)}});
  const ProgressStyle style = progress_style(options.progress);
  trainer.run(*journal, [style](const train::Progress& progress) { show(progress, style); });
  const std::int64_t measured = peak_resident_bytes() - baseline;
  note("trained", {{"steps", std::to_string(trainer.losses().size())},
                   {"untimed", std::to_string(trainer.untimed_steps())}});

  const std::string state = trainer.state_hash();
  std::vector<io::Verification> others = check_parameters(trainer.engine(), comm);
  others.push_back(binding_check(placement, config.window.official));
  std::vector<CaptionAnswer> answers;
  if (config.control.captions || config.control.grey) {
    answers = ask_captions(trainer, comm, config.control.grey, config.control.max_new_tokens);
    if (config.control.grey) others.push_back(grey_check(answers, config.control.max_grey_right));
  }
  if (config.test.fault != Fault::none)  // whatever the rules found
    others.push_back({"test", "planted " + std::string(name_of(config.test.fault)), 1, 0, false});
  if (config.output.export_model) export_model(trainer, config, folder / "model", comm.rank());
  parallel::set_phase("verification");  // changes the parameters: after all that reads them
  const std::int64_t verification = monotonic_ns();
  verification::Report verified = trainer.verify();
  const double verification_seconds = seconds_since(verification);
  const std::int64_t with_verification = peak_resident_bytes() - baseline;
  for (const io::PlanValue& value : verified.values) io::append(*journal, value);
  std::vector<io::Verification> checks = std::move(verified.checks);
  checks.insert(checks.end(), others.begin(), others.end());
  parallel::set_phase("record");
  if (comm.rank() == 0)  // the same on every rank
    for (const io::Verification& check : checks) io::append(*journal, check);
  note("verified", {{"checks", std::to_string(checks.size())}});
  note_plan_and_memory(*journal, trainer, measured, with_verification);
  note_roofline(*journal, trainer, config.model.precision, comm);
  note_run(*journal, trainer, state, launch.index, setup_seconds, verification_seconds);
  io::append_kernels(*journal, counters());
  journal->close();
  io::merge_journals(comm, folder, record_header(started));

  std::int64_t valid = 0;
  parallel::agree(comm, "result", [&] {
    if (comm.rank() != 0) return;
    const judge::Judgement judgement = write_result(folder, *events);
    valid = judgement.valid();
    if (!answers.empty() && !options.json) fmt::print("\n{}", caption_table(answers));
    if (options.json)
      fmt::print("{}\n", printed_json(judgement, answers, io::record_path(folder)));
    else
      fmt::print("\n{}\nrecord: {}\n", judge::rates_line(judgement),
                 io::record_path(folder).string());
    fmt::print(options.json ? stderr : stdout, "{}\n", judge::result_line(judgement));
  });
  return static_cast<int>(parallel::broadcast_value(comm, valid) ? ExitCode::ok
                                                                 : ExitCode::invalid);
}

}  // namespace

int run_command(int argc, char** argv, const RunOptions& options) {
  const std::int64_t began = monotonic_ns();
  return parallel::run_ranks(argc, argv, [&](Communicator& world) {
    const auto device =
        parallel::agree(world, "device", [] { return std::make_unique<engine::Device>(); });
    const config::RunConfig config = read_config(options, world);
    const parallel::Placement placement = placement_of(config, device->pci(), world);
    std::unique_ptr<Communicator> grid = parallel::in_order(world, placement.order);
    parallel::set_rank(grid->rank());
    if constexpr (kDeviceTransport) grid = parallel::nccl_communicator(std::move(grid));
    return run(*grid, options, config, placement, began);
  });
}

}  // namespace vlmark::app
