#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "parallel/communicator.hpp"
#include "src/config/run_config.hpp"
#include "src/engine/training_engine.hpp"
#include "src/io/journal.hpp"
#include "src/io/journal_records.hpp"
#include "src/recipe/caption_data.hpp"
#include "src/recipe/input_check.hpp"
#include "src/recipe/learning_rate.hpp"
#include "src/recipe/manifest.hpp"
#include "src/recipe/sample_order.hpp"
#include "src/recipe/work.hpp"
#include "src/train/replay_check.hpp"
#include "src/verification/checks.hpp"
#include "src/verification/update_check.hpp"

namespace vlmark::train {

/// What a finished step tells the one who waits.
struct Progress {
  int step = 0, steps = 0;  ///< steps done, of how many
  double loss = 0, learning_rate = 0;
  double positions_per_s = 0;  ///< over the last step
  double seconds_left = 0;     ///< at the mean pace so far
};

class Window;

/// The training loop of one run: sets up model, data and engine from the run description, runs all
/// steps, notes each in the rank's journal. All calls are collective.
class Trainer {
 public:
  /// Throws AgreedError (every rank together) where a file or value is wrong or memory is missing.
  Trainer(const config::RunConfig& config, parallel::Communicator& comm);

  /// Untimed steps, then those of the timed window. Writes timing, scalars, counters and the actions
  /// of the first `train.trace_steps` steps to `journal`; `report` is called on rank 0 after each.
  void run(io::JournalWriter& journal, const std::function<void(const Progress&)>& report);

  const model::Qwen2VL& model() const { return *model_; }
  /// Where it trains on captions; null where on synthetic documents.
  const recipe::CaptionData* captions() const { return captions_; }
  engine::TrainingEngine& engine() { return *engine_; }
  /// Forward passes with the trained weights: on every rank where each holds the whole model, else
  /// on rank 0 alone, which gets a copy; null elsewhere. Collective.
  std::unique_ptr<engine::InferenceEngine> inference();
  const model::MemoryPlan& plan() const { return plan_; }
  /// Steps that plan() is of: as many as a run may have.
  int planned_steps() const { return config_.train.steps; }
  const plan::Layout& layout() const { return settings_.layout; }
  recipe::Manifest manifest() const {
    return recipe::manifest_of(config_, model_->config(), *data_);
  }

  /// Of every step of `run`, the same on all ranks.
  const std::vector<double>& losses() const { return losses_; }
  const std::vector<double>& grad_norms() const { return grad_norms_; }
  /// Steps before the timed window opened: at least `train.untimed_steps`, at most all but one.
  int untimed_steps() const { return untimed_steps_; }
  /// Seconds of the window by the system's clock: another one than steps are timed by.
  double window_wall_seconds() const { return window_wall_seconds_; }
  /// One step alone: no notes, no clock.
  engine::StepResult repeat(int step) { return engine_->step(input(step)); }
  /// Hash of the optimizer's state over all ranks, in hexadecimal: the same in all layouts of one
  /// tp. Collective.
  std::string state_hash() const;
  /// Rules V1 to V5, V7 and R4 (inputs), after run(): some steps of the window once more, and what run() watched
  /// in others. The last use of the engine: it is left in the state of whichever step came last,
  /// because a copy of the trained one would be memory that a full machine does not have. Collective.
  verification::Report verify();
  /// Seconds that preparing that took inside the window on this rank.
  double replay_seconds() const { return replay_->seconds(); }

 private:
  using Step = std::function<engine::StepResult(int)>;

  std::vector<plan::MicroBatchShape> step_shapes(int step) const;
  engine::StepInput input(int step) const;
  engine::StepResult compute(const engine::StepInput& input);
  /// One step and its notes.
  engine::StepResult step(io::JournalWriter& journal, int step);
  /// The untimed steps. Returns how many the window is to have.
  int warm_up(const Window& window, const Step& step);
  /// What `step`, from 0, has to do to the weights.
  verification::Update update_of(int step) const;
  /// Steps of verification after the window.
  void watch_after_window();
  /// Tells the later stages, which open no picture, what rank 0 saw of each. Collective.
  void take_pictures();
  void take(std::unique_ptr<recipe::CaptionData> captions);
  void require_same_inputs() const;
  void note_step(io::JournalWriter& journal, int step, const engine::StepResult& result,
                 const Counts& before, const recipe::Work& work, double learning_rate) const;

  config::RunConfig config_;
  parallel::Communicator& comm_;
  std::unique_ptr<model::Qwen2VL> model_;  // the whole
  std::unique_ptr<model::Qwen2VL> shard_;  // what this rank trains
  model::TrainingSettings settings_;
  std::unique_ptr<recipe::TrainingData> data_;
  const recipe::CaptionData* captions_ = nullptr;  // the same, where it is that
  std::unique_ptr<recipe::SampleOrder> order_;
  recipe::LearningRate learning_rate_;
  model::MemoryPlan plan_;
  std::unique_ptr<engine::TrainingEngine> engine_;
  std::unique_ptr<verification::StepProbes> probes_;
  std::unique_ptr<recipe::InputCheck> inputs_;
  std::vector<double> losses_, grad_norms_;
  engine::StepResult cached_;  // Fault::cached_output
  int untimed_steps_ = 0;
  double window_wall_seconds_ = 0;
  std::unique_ptr<ReplayCheck> replay_;  // from the window on
};

}  // namespace vlmark::train
