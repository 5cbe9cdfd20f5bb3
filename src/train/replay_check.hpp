#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "src/engine/training_engine.hpp"
#include "src/io/journal_records.hpp"

namespace vlmark::train {

/// Rule V1: steps of the timed window, chosen at random, are run again after it from the state they
/// began with, on the same inputs. Losses, gradient norms and states must be those of the first
/// time: to the bit in deterministic runs.
class ReplayCheck {
 public:
  /// Chooses `count` steps of [first, first + steps) by `seed` and allocates what their states need.
  /// To be called before the window opens.
  ReplayCheck(const engine::TrainingEngine& engine, int count, int first, int steps,
              std::uint64_t seed);

  /// Around each step of the window: notes the state before a chosen one, and what came of it. Not
  /// collective.
  void before(const engine::TrainingEngine& engine, int step);
  void after(const engine::TrainingEngine& engine, int step, const engine::StepResult& result);

  /// Runs the chosen steps again; the engine keeps the state of the last. `run` does a step; `exact`:
  /// to the bit. One check per value and step, the same on every rank. Collective.
  std::vector<io::Verification> verify(parallel::Communicator& comm, engine::TrainingEngine& engine,
                                       bool exact,
                                       const std::function<engine::StepResult(int)>& run);
  /// Seconds that notes took inside the window on this rank.
  double seconds() const { return seconds_; }

 private:
  struct Chosen {
    int step = 0;
    std::vector<std::byte> state;
    double loss = 0, grad_norm = 0;
    std::uint64_t hash = 0;  ///< of the state after it
    bool done = false;       ///< the window came as far as this
  };
  Chosen* find(int step);

  std::vector<Chosen> chosen_;  // by step
  double seconds_ = 0;
};

}  // namespace vlmark::train
