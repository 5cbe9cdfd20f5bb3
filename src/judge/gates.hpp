#pragma once

#include <vector>

#include "src/config/run_config.hpp"
#include "src/io/record.hpp"
#include "src/recipe/manifest.hpp"

namespace vlmark::judge {

/// What the gates look at: a record, and what its texts say.
struct Evidence {
  const io::Record& record;
  config::RunConfig config;
  recipe::Manifest manifest;
  int untimed = 0;                   ///< steps before the window
  std::vector<double> pace;          ///< [window step] s from its start to the next one's, over all
                                     ///< ranks; their sum is the window's time
  std::vector<double> step_seconds;  ///< [step] the longest of all ranks
  double setup_seconds = 0;
  double wall_seconds = 0;  ///< of the window, by the system's clock of rank 0
};

/// FLOPs of a step by the ledger: the model's, and what is computed besides.
struct StepFlops {
  std::uint64_t model = 0, extra = 0;
};
StepFlops flops_of(const Evidence& evidence, const std::vector<plan::MicroBatchShape>& shapes);

using Checks = std::vector<io::Verification>;

/// R4: the manifest's pictures have the size that the run description gives them.
void check_pictures(const Evidence& evidence, Checks& checks);
/// R5: the steps, tokens and FLOPs that were counted are those of the manifest.
void check_work(const Evidence& evidence, Checks& checks);
/// R3: on each rank one step begins after the other has ended, and all took the time that passed.
void check_times(const Evidence& evidence, Checks& checks);
/// R6, R7, R9, R10: set-up, untimed steps, window and repetitions; of an official run by the rules'
/// numbers, of any other by what it asked for. What is short of the rules then is a flag.
void check_protocol(const Evidence& evidence, Checks& checks, std::vector<std::string>& flags);
/// R4: the rates that were noted are those of the run description.
void check_learning_rates(const Evidence& evidence, Checks& checks);
/// V1: the losses and norms that were noted are those of the steps that were run again.
void check_replays(const Evidence& evidence, Checks& checks);
/// V5 from the losses as they stand in the record.
void check_losses(const Evidence& evidence, Checks& checks);
/// Every check that the run noted, held against its limit again; and that none is missing.
void check_noted(const Evidence& evidence, Checks& checks, std::vector<std::string>& flags);

}  // namespace vlmark::judge
