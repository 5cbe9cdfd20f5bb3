#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vlmark::app {

// One struct of options and one function per command. Each function returns the exit code of the
// process (src/base/error.hpp).
//
// There are two programs with one command line. `vlmark-device` runs the commands that need a device,
// which are given the command line too; `vlmark`, which links neither Kokkos nor a driver and so
// starts on any machine, runs the others and hands those over to `vlmark-device`
// (start_device_program.cpp).

struct RunOptions {
  std::string config;             ///< TOML file
  std::vector<std::string> set;   ///< table.key=value
  std::string progress = "auto";  ///< auto, line, log, off
  std::string challenge;          ///< a centre's nonce: decides weights and order of samples
  bool json = false;              ///< the result as one JSON object on stdout
};
/// Trains over all ranks of the job, verifies itself, writes the record.
int run_command(int argc, char** argv, const RunOptions& options);

struct GenerateOptions {
  std::string model, image, prompt = "Describe the picture.";
  int max_new_tokens = 64;
  std::string precision;  ///< fp32, bf16, or empty: as the checkpoint stores it
  bool json = false;
};
/// Answers a prompt about a picture, greedily.
int generate_command(int argc, char** argv, const GenerateOptions& options);

struct ConvertOptions {
  std::string model;  ///< checkpoint folder; for random weights a preset or a folder's config.json
  std::string out;
  std::string dtype;                         ///< fp32, bf16, or empty: as stored (random: bf16)
  std::string names;                         ///< original, nested, bare, or empty: as stored
  std::uint64_t shard_bytes = 0;             ///< 0: as stored (random: 5 GB)
  std::optional<std::uint64_t> random_seed;  ///< makes weights instead of reading them
  std::string tokenizer;                     ///< folder, for random weights
};
/// Copies a checkpoint folder with other names, shards or element types, or makes one.
int convert_command(const ConvertOptions& options);

struct PlanOptions {
  std::string config;        ///< TOML file; or a model and a batch:
  std::string model = "2B";  ///< preset or checkpoint folder
  std::vector<std::string> set;
  std::optional<int> ranks;  ///< none: those of the layout, or as few as fit the machine, or 1
  std::string machine;       ///< TOML file: predict times, rank layouts
  std::string layout;        ///< "dp2.tp2.pp2"; empty: every rank a replica, or with a machine any
  std::string figure;        ///< SVG file: the replay of a layout on the machine
  std::string trace;         ///< results folder of a run: compared with the replay
  std::string precision = "bf16";
  std::string attention = "own";      ///< own or cudnn
  bool any_order = false;             ///< sums in no fixed order (train.deterministic = false)
  int micro_batches = 0;              ///< of a step, over all ranks; 0: one per rank
  int text_tokens = 1024;             ///< of a micro-batch
  std::vector<std::string> pictures;  ///< WIDTHxHEIGHT each, of a micro-batch
  bool generate = false;              ///< an answer instead of training
  int max_new_tokens = 64;
  bool json = false;
};
/// Bytes by category and FLOPs of one rank, before anything is launched.
int plan_command(const PlanOptions& options);
/// The same with a machine: what a layout takes there, or which layouts take how much.
int plan_on_machine(const PlanOptions& options);

struct VerifyOptions {
  std::string folder;  ///< of one run's results, or of a series of launches
  bool json = false;
};
/// Judges a record again from its files alone, and holds them against their seals.
int verify_command(const VerifyOptions& options);

struct RecheckOptions {
  std::string folder;                 ///< results of a run
  int steps = 3;                      ///< to compare, chosen at random
  int within = 0;                     ///< of the first so many; 0: of all
  std::optional<std::uint64_t> seed;  ///< of the choice; none: of the clock
  std::string layout;                 ///< of the ranks here; empty: every rank is a replica
  std::string data, tokenizer;        ///< folders here, where they lie elsewhere than at the run
  std::string challenge;              ///< the nonce that the run was asked; empty: any or none
  bool json = false;
};
/// Computes steps of a record again, in any layout and on any number of ranks, and compares losses
/// and gradient norms; all steps before them are computed, too.
int recheck_command(int argc, char** argv, const RecheckOptions& options);

struct CompareOptions {
  std::vector<std::string> base;   ///< results or series folders of A; without `with`, A and B
  std::vector<std::string> with;   ///< those of B
  std::vector<std::string> noise;  ///< A/A series of either system
  double power = 0.8;              ///< of the runs needed
  bool json = false;
};
/// Compares two series of runs by rules R14 to R17; the exit code is the verdict.
int compare_command(const CompareOptions& options);

struct ReportOptions {
  std::vector<std::string> folders;  ///< results folders, series, or folders of either
  std::string out = "report.html";
  std::string figures;  ///< folder for the figures as SVG files; empty: none
};
/// Shows runs side by side in one HTML file, whatever their verdict.
int report_command(const ReportOptions& options);

struct TopoOptions {
  std::string input;      ///< hwloc XML of another machine; empty: this one
  std::string synthetic;  ///< hwloc's description of a made-up one; empty: none
  std::string xml;        ///< file for the XML; "-": stdout, and nothing else
  bool json = false;
};
/// The machine as hwloc sees it; started as a job, also where each rank runs, against the plan.
int topo_command(int argc, char** argv, const TopoOptions& options);

struct DoctorOptions {
  std::string folder = "results";  ///< where results are to go
  bool json = false;
};
/// Looks at what spoils runs, on every rank of the job. Exit code 2 where a check fails.
int doctor_command(int argc, char** argv, const DoctorOptions& options);

}  // namespace vlmark::app
