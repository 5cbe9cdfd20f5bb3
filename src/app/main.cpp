#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <functional>

#include "src/app/commands.hpp"
#include "src/app/launcher.hpp"
#include "src/base/build.hpp"
#include "src/base/error.hpp"

namespace {

using namespace vlmark;

/// What every rank could print is printed by the first alone.
bool first_of_job() { return app::launched_rank().value_or(0) == 0; }

void add_run(CLI::App& app, app::RunOptions& o, int argc, char** argv, std::function<int()>& job) {
  auto* c = app.add_subcommand("run", "Train, verify and record");
  c->add_option("config", o.config, "Run description (TOML)")->required();
  c->add_option("--set", o.set, "Override a key: table.key=value (repeat)");
  c->add_option("--progress", o.progress, "auto, line, log or off");
  c->add_option("--challenge", o.challenge,
                "A centre's nonce: decides weights and order of samples, so that nothing can be "
                "prepared");
  c->add_flag("--json", o.json, "The result as one JSON object");
  c->footer("Example:\n  mpiexec -n 2 vlmark run configs/quickstart.toml --set train.steps=20");
  c->callback([&o, argc, argv, &job] {
    job = [&o, argc, argv] { return app::run_command(argc, argv, o); };
  });
}

void add_generate(CLI::App& app, app::GenerateOptions& o, int argc, char** argv,
                  std::function<int()>& job) {
  auto* c = app.add_subcommand("generate", "Answer a prompt about a picture");
  c->add_option("--model", o.model, "Checkpoint folder (Hugging Face layout)")->required();
  c->add_option("--image", o.image, "PNG or JPEG; without it the prompt is text alone");
  c->add_option("--prompt", o.prompt, "What to ask")->capture_default_str();
  c->add_option("--max-new-tokens", o.max_new_tokens, "Longest answer")->capture_default_str();
  c->add_option("--precision", o.precision, "fp32 or bf16 (default: as stored)")
      ->check(CLI::IsMember({"fp32", "bf16"}));
  c->add_flag("--json", o.json, "Answer and times as one JSON object");
  c->footer(
      "Example:\n  vlmark generate --model results/quickstart/model --image "
      "configs/media/chelsea.jpg --prompt \"Describe the picture.\"");
  c->callback([&o, argc, argv, &job] {
    job = [&o, argc, argv] { return app::generate_command(argc, argv, o); };
  });
}

void add_convert(CLI::App& app, app::ConvertOptions& o, std::function<int()>& job) {
  auto* c = app.add_subcommand("convert", "Copy a checkpoint with other names, shards or types");
  c->add_option("model", o.model, "Checkpoint folder (Hugging Face layout)")->required();
  c->add_option("out", o.out, "Folder to make; must not exist or be empty")->required();
  c->add_option("--dtype", o.dtype, "fp32 or bf16 (default: as stored)")
      ->check(CLI::IsMember({"fp32", "bf16"}));
  c->add_option("--names", o.names,
                "original: model.layers.*, as on the hub; nested: model.language_model.layers.*; "
                "bare: language_model.layers.*, no head (default: as stored)")
      ->check(CLI::IsMember({"original", "nested", "bare"}));
  c->add_option("--shard-size", o.shard_bytes,
                "Most bytes of weights in a file, e.g. 5GB (default: files as stored)")
      ->transform(CLI::AsSizeValue(/*kb_is_1000=*/true))
      ->check(CLI::PositiveNumber);
  c->add_option("--random-weights", o.random_seed,
                "Seed: make weights; the model is a preset (nano, 2B, 7B, 72B) or a folder with a "
                "config.json");
  c->add_option(
      "--tokenizer", o.tokenizer,
      "With --random-weights: folder of a tokenizer (default: the model's, else one token "
      "for each byte)");
  c->footer(
      "Example:\n  vlmark convert results/quickstart/model nano-bf16 --dtype bf16 --names nested\n"
      "  vlmark convert 2B random-2B --random-weights 7");
  c->callback([&o, &job] { job = [&o] { return app::convert_command(o); }; });
}

void add_plan(CLI::App& app, app::PlanOptions& o, std::function<int()>& job) {
  auto* c = app.add_subcommand("plan", "Bytes and FLOPs before anything is launched");
  c->add_option("config", o.config, "Run description (TOML); or --model and a batch");
  c->add_option("--model", o.model, "nano, 2B, 7B, 72B or a checkpoint folder")
      ->capture_default_str();
  c->add_option("--ranks", o.ranks,
                "Ranks of the job (default: those of the layout; with a machine and no layout the "
                "fewest that fit; else 1)");
  c->add_option("--layout", o.layout,
                "Who does what: dp2.tp2.pp2 (default: every rank a replica; with a machine and "
                "--ranks all layouts, ranked)");
  c->add_option("--machine", o.machine,
                "Machine description (TOML, see configs/machines): fits or not, predicted times");
  c->add_option("--figure", o.figure, "With --machine and --layout: draw the replay (SVG)");
  c->add_option("--trace", o.trace,
                "Results folder of a run in that layout: draw it above, compare the times");
  c->add_option("--set", o.set, "Override a key of the run description: table.key=value");
  c->add_option("--precision", o.precision, "fp32 or bf16")->capture_default_str();
  c->add_option("--attention", o.attention, "Kernel of attention: own or cudnn (bf16 on CUDA)")
      ->check(CLI::IsMember({"own", "cudnn"}))
      ->capture_default_str();
  c->add_flag("--any-order", o.any_order, "Plan without deterministic sums");
  c->add_option("--micro-batches", o.micro_batches,
                "Of a step, over all ranks (default: one each)");
  c->add_option("--text-tokens", o.text_tokens, "Text tokens of a micro-batch")
      ->capture_default_str();
  c->add_option("--picture", o.pictures, "Picture of a micro-batch: WIDTHxHEIGHT (repeat)");
  c->add_flag("--generate", o.generate, "Plan an answer of `vlmark generate` instead");
  c->add_option("--max-new-tokens", o.max_new_tokens, "With --generate: longest answer")
      ->capture_default_str();
  c->add_flag("--json", o.json, "One JSON object");
  c->footer(
      "Example:\n  vlmark plan --model 7B --ranks 8 --text-tokens 4096 --picture 1280x720\n"
      "  vlmark plan --model 72B --machine configs/machines/h100.toml");
  c->callback([&o, &job] { job = [&o] { return app::plan_command(o); }; });
}

void add_recheck(CLI::App& app, app::RecheckOptions& o, int argc, char** argv,
                 std::function<int()>& job) {
  auto* c = app.add_subcommand("recheck", "Compute steps of a record again and compare");
  c->add_option("folder", o.folder, "Results of a run")->required();
  c->add_option("--steps", o.steps, "How many to compare, chosen at random")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  c->add_option("--within", o.within, "Choose of the first so many (default: of all)")
      ->check(CLI::PositiveNumber);
  c->add_option("--seed", o.seed, "Of the choice (default: of the clock)");
  c->add_option("--layout", o.layout, "Of the ranks here (default: every rank a replica)");
  c->add_option("--data", o.data, "Folder of the pictures here (default: the run's)");
  c->add_option("--tokenizer", o.tokenizer, "Folder of the tokenizer here (default: the run's)");
  c->add_option("--challenge", o.challenge, "The nonce that the run was to answer");
  c->add_flag("--json", o.json, "One JSON object");
  c->footer(
      "All steps up to the last chosen one are computed.\n"
      "Example:\n  mpiexec -n 2 vlmark recheck results/quickstart --steps 3 --within 20");
  c->callback([&o, argc, argv, &job] {
    job = [&o, argc, argv] { return app::recheck_command(argc, argv, o); };
  });
}

void add_verify(CLI::App& app, app::VerifyOptions& o, std::function<int()>& job) {
  auto* c = app.add_subcommand("verify", "Judge a record again, from its files alone");
  c->add_option("folder", o.folder, "Results of a run, or a series of launches")->required();
  c->add_flag("--json", o.json, "The recomputed result as JSON");
  c->footer("Example:\n  vlmark verify results/quickstart");
  c->callback([&o, &job] { job = [&o] { return app::verify_command(o); }; });
}

void add_compare(CLI::App& app, app::CompareOptions& o, std::function<int()>& job) {
  auto* c = app.add_subcommand("compare", "Say whether B is faster than A");
  c->add_option(
       "folders", o.base,
       "A, the base case, and B: each a results folder, a series folder (run-1, run-2, ...) "
       "or a folder of several configurations; with --with all of A")
      ->required();
  c->add_option("--with", o.with, "Folders of B, where A has several");
  c->add_option("--noise", o.noise,
                "A/A series of either system: its spread is the noise floor (default: the spread "
                "within A and B)");
  c->add_option("--power", o.power, "Chance of a verdict that the runs needed have")
      ->check(CLI::Range(0.5, 0.99))
      ->capture_default_str();
  c->add_flag("--json", o.json, "One JSON object");
  c->footer(
      "Exit codes: 0 equivalent, 10 faster, 11 slower, 12 inconclusive, 20 not comparable, 21 "
      "invalid input.\n"
      "Example:\n  vlmark compare results/base results/change\n"
      "  vlmark compare results/base --with results/change-1 results/change-2 --noise results/a-a");
  c->callback([&o, &job] { job = [&o] { return app::compare_command(o); }; });
}

void add_report(CLI::App& app, app::ReportOptions& o, std::function<int()>& job) {
  auto* c = app.add_subcommand("report", "Show runs and benchmarks in one HTML file");
  c->add_option(
       "folders", o.folders,
       "Each the results of a run, a series folder (run-1, run-2, ...), a benchmark record "
       "(bench.json) or a folder of these; also of runs that are INVALID or did not end")
      ->required();
  c->add_option("--out", o.out, "HTML file to write; needs no network to be read")
      ->capture_default_str();
  c->add_option("--figures", o.figures, "Folder for every figure as an SVG file");
  c->footer(
      "Example:\n  vlmark report results/quickstart --out quickstart.html\n"
      "  vlmark report results/base results/change --figures figures\n"
      "  vlmark report results/kernels results/collectives");
  c->callback([&o, &job] { job = [&o] { return app::report_command(o); }; });
}

void add_topo(CLI::App& app, app::TopoOptions& o, int argc, char** argv,
              std::function<int()>& job) {
  auto* c = app.add_subcommand("topo", "Show the machine, and where the ranks of a job run");
  c->add_option("--input", o.input, "Another machine: hwloc's XML, e.g. a record's topology.xml");
  c->add_option("--synthetic", o.synthetic, "A made-up machine, in hwloc's words");
  c->add_option("--xml", o.xml, "Write hwloc's XML to this file; - writes it alone, to stdout");
  c->add_flag("--json", o.json, "One JSON object");
  c->footer(
      "Example:\n  vlmark topo\n  mpiexec -n 2 vlmark topo\n"
      "  vlmark topo --input results/quickstart/topology.xml\n"
      "  vlmark topo --synthetic \"pack:2 numa:2 core:8 pu:2\"");
  c->callback([&o, argc, argv, &job] {
    job = [&o, argc, argv] { return app::topo_command(argc, argv, o); };
  });
}

void add_doctor(CLI::App& app, app::DoctorOptions& o, int argc, char** argv,
                std::function<int()>& job) {
  auto* c = app.add_subcommand("doctor", "Say what of this machine or job spoils a run");
  c->add_option("--folder", o.folder, "Where results are to go")->capture_default_str();
  c->add_flag("--json", o.json, "One JSON object");
  c->footer(
      "Every check is ok, absent (the machine does not say), warn (slower or not comparable) or "
      "fail.\nExit codes: 0 no fail, 2 a fail.\n"
      "Example:\n  vlmark doctor\n  mpiexec -n 2 vlmark doctor --folder results");
  c->callback([&o, argc, argv, &job] {
    job = [&o, argc, argv] { return app::doctor_command(argc, argv, o); };
  });
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("VLMark trains and serves Qwen2-VL and proves its own result", "vlmark");
  app.set_version_flag("--version", "vlmark " VLMARK_VERSION " (" + compute_library() + ")",
                       "Version and what computes");
  app.require_subcommand(1);
  app.footer(
      "Exit codes: 0 ok, 1 internal, 2 usage or value, 3 file, 4 communication, 5 INVALID result;\n"
      "of compare: 0 equivalent, 10 faster, 11 slower, 12 inconclusive, 20 not comparable, 21 "
      "invalid "
      "input.\n"
      "Example:\n  vlmark plan --model 7B --ranks 8");
  app::RunOptions run;
  app::GenerateOptions generate;
  app::ConvertOptions convert;
  app::PlanOptions plan;
  app::VerifyOptions verify;
  app::RecheckOptions recheck;
  app::CompareOptions compare;
  app::ReportOptions report;
  app::TopoOptions topo;
  app::DoctorOptions doctor;
  std::function<int()> job;
  add_run(app, run, argc, argv, job);
  add_generate(app, generate, argc, argv, job);
  add_convert(app, convert, job);
  add_plan(app, plan, job);
  add_verify(app, verify, job);
  add_recheck(app, recheck, argc, argv, job);
  add_compare(app, compare, job);
  add_report(app, report, job);
  add_topo(app, topo, argc, argv, job);
  add_doctor(app, doctor, argc, argv, job);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (!first_of_job()) return e.get_exit_code() == 0 ? 0 : static_cast<int>(ExitCode::usage);
    return app.exit(e) == 0 ? 0 : static_cast<int>(ExitCode::usage);
  }
  // These handle their own errors, on all ranks together; the others are one process.
  if (app.got_subcommand("run") || app.got_subcommand("recheck")) return job();
  try {
    return job();
  } catch (const Error& e) {
    fmt::print(stderr, "vlmark: {}\n", e.what());
    return static_cast<int>(e.exit_code());
  }
}
