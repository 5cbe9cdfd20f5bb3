#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "src/engine/queue.hpp"
#include "src/plan/dependencies.hpp"

namespace vlmark::engine {

/// When an action of the schedule ran on this rank. On a device queue: when the host issued it.
struct ActionTime {
  plan::Action action;
  std::int64_t start_ns = 0, end_ns = 0;  ///< monotonic clock
};

/// How long a step may stand still.
struct Patience {
  /// Without any action of this rank starting or ending. A rank that was lost without a word is
  /// noticed by this alone.
  std::chrono::milliseconds progress = std::chrono::minutes(10);
  /// For an action that is under way when another has failed.
  std::chrono::milliseconds drain = std::chrono::seconds(2);
};

/// Runs schedules of one rank over the queues of its lanes. Actions are submitted in the order of
/// the schedule; order between lanes comes from events that are derived from what each action reads
/// and writes (plan::dependencies).
class Executor {
 public:
  using Run = std::function<void(const plan::Action&)>;
  /// [plan::Lane]; several lanes may share a queue. They outlive the executor.
  using Lanes = std::array<Queue*, plan::kLanes>;

  explicit Executor(const Lanes& lanes, Patience patience = {});

  /// Runs every action once and returns when all have ended, with their times in the order of the
  /// schedule. `run` is called on the queue of the action's lane, thus from several threads.
  ///
  /// The first action that throws ends the step: actions that have not started are dropped, those
  /// under way get `drain` to end, and its error is thrown with the phase set to that action. Throws
  /// CommError where nothing moves for `progress`. A lane that could not be drained still uses the
  /// memory of its action: no further step may run.
  std::vector<ActionTime> execute(const plan::Schedule& schedule, const Run& run);
  /// The same with waits that are known: kept from an earlier step, or others than the derived ones
  /// in tests of what a missing event does.
  std::vector<ActionTime> execute(const plan::Schedule& schedule, const plan::Waits& waits,
                                  const Run& run);

  /// A number that changes whenever an action starts or ends. From any thread.
  long progress() const { return progress_->load(); }
  /// "compute lane: forward m3 s1; data lane: reduce_bucket b0 (more)", of the step that runs, where
  /// `more` says what an action's name does not. From any thread.
  using Describe = std::function<std::string(const plan::Action&)>;
  std::string where(const Describe& more) const;

 private:
  struct Step;
  void issue(const plan::Waits& waits, const std::shared_ptr<Step>& step);
  void await(const Event& event, const Step& step) const;
  void drain();
  Queue& queue_of(const plan::Action& action) const;

  Lanes lanes_;
  std::shared_ptr<std::atomic<long>> progress_ = std::make_shared<std::atomic<long>>(0);
  mutable std::mutex current_mutex_;
  std::shared_ptr<Step> current_;  // while it runs
  std::vector<Queue*> queues_;     // each once
  Patience patience_;
  bool stuck_ = false;
};

/// Time in which `lane` was busy and the compute lane was not: what its messages cost the step.
std::int64_t exposed_ns(std::span<const ActionTime> actions, plan::Lane lane);

}  // namespace vlmark::engine
