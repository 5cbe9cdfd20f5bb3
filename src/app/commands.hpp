#pragma once

#include <cstdint>
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

struct PlanOptions {
  std::string config;        ///< TOML file; or a model and a batch:
  std::string model = "2B";  ///< preset or checkpoint folder
  std::vector<std::string> set;
  int ranks = 1;
  std::string precision = "bf16";
  int micro_batches = 0;              ///< of a step, over all ranks; 0: one per rank
  int text_tokens = 1024;             ///< of a micro-batch
  std::vector<std::string> pictures;  ///< WIDTHxHEIGHT each, of a micro-batch
  bool json = false;
};
/// Bytes by category and FLOPs of one rank, before anything is launched.
int plan_command(const PlanOptions& options);

}  // namespace vlmark::app
