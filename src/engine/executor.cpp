#include "src/engine/executor.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>

#include "parallel/phase.hpp"
#include "src/base/clock.hpp"
#include "src/base/contracts.hpp"
#include "src/base/error.hpp"

namespace vlmark::engine {

/// What the lanes share of one step. A lane that hangs keeps it alive.
struct Executor::Step {
  Step(const plan::Schedule& actions, Run function, std::shared_ptr<std::atomic<long>> counter)
      : schedule(actions),
        run(std::move(function)),
        times(actions.size()),
        progress(std::move(counter)) {
    for (auto& r : running) r = -1;
  }

  void run_action(std::size_t i) {
    if (failed()) return;
    const plan::Action& action = schedule[i];
    std::atomic<int>& here = running[static_cast<std::size_t>(action.lane)];
    here = static_cast<int>(i);
    ++*progress;
    parallel::set_phase(plan::to_string(action));
    const std::int64_t start = monotonic_ns();
    try {
      run(action);
    } catch (...) {  // thrown again by execute()
      fail(std::current_exception(), plan::to_string(action));
    }
    times[i] = {action, start, monotonic_ns()};
    here = -1;
    ++*progress;
  }

  bool failed() const {
    const std::lock_guard lock(mutex);
    return error != nullptr;
  }
  void fail(std::exception_ptr e, std::string where) {
    const std::lock_guard lock(mutex);
    if (error) return;
    error = std::move(e);
    phase = std::move(where);
  }

  std::string where(const Describe& more) const {
    std::string text;
    for (int l = 0; l < plan::kLanes; ++l) {
      const int i = running[l];
      if (i < 0) continue;
      const plan::Action& action = schedule[static_cast<std::size_t>(i)];
      if (!text.empty()) text += "; ";
      text += std::string(plan::name_of(static_cast<plan::Lane>(l))) +
              " lane: " + plan::to_string(action);
      const std::string what = more ? more(action) : "";
      if (!what.empty()) text += " (" + what + ")";
    }
    return text.empty() ? "in no action" : text;
  }

  const plan::Schedule schedule;
  const Run run;
  std::vector<ActionTime> times;                      // each written by its lane
  const std::shared_ptr<std::atomic<long>> progress;  // actions started and ended
  std::atomic<int> running[plan::kLanes];
  mutable std::mutex mutex;
  std::exception_ptr error;  // the first
  std::string phase;         // its action
};

Executor::Executor(const Lanes& lanes, Patience patience) : lanes_(lanes), patience_(patience) {
  for (Queue* queue : lanes_) {
    expects(queue != nullptr);
    if (std::find(queues_.begin(), queues_.end(), queue) == queues_.end()) queues_.push_back(queue);
  }
}

Queue& Executor::queue_of(const plan::Action& action) const {
  return *lanes_[static_cast<std::size_t>(action.lane)];
}

std::vector<ActionTime> Executor::execute(const plan::Schedule& schedule, const Run& run) {
  return execute(schedule, plan::dependencies(schedule), run);
}

std::vector<ActionTime> Executor::execute(const plan::Schedule& schedule, const plan::Waits& waits,
                                          const Run& run) {
  if (stuck_)
    throw CommError(
        "executor: an action of an earlier step is still under way (it uses the memory of this "
        "one). End the job after the first error");
  const auto step = std::make_shared<Step>(schedule, run, progress_);
  {
    const std::lock_guard lock(current_mutex_);
    current_ = step;
  }
  try {
    issue(waits, step);
  } catch (...) {  // thrown again below
    step->fail(std::current_exception(), parallel::phase());
  }
  if (!step->failed()) {
    const std::lock_guard lock(current_mutex_);
    current_.reset();
    return std::move(step->times);
  }
  drain();
  parallel::set_phase(step->phase);
  std::rethrow_exception(step->error);
}

void Executor::issue(const plan::Waits& waits, const std::shared_ptr<Step>& step) {
  const plan::Schedule& schedule = step->schedule;
  std::vector<bool> awaited(schedule.size());
  for (const auto& others : waits)
    for (const int other : others) awaited[static_cast<std::size_t>(other)] = true;
  std::vector<EventPtr> events(schedule.size());
  for (std::size_t i = 0; i < schedule.size(); ++i) {
    Queue& queue = queue_of(schedule[i]);
    for (const int other : waits[i]) {
      const EventPtr& event = events[static_cast<std::size_t>(other)];
      if (&queue_of(schedule[static_cast<std::size_t>(other)]) == &queue) continue;
      if (queue.blocks_on(*event)) await(*event, *step);
      if (step->failed()) return;
      queue.wait(event);
    }
    queue.submit([step, i] { step->run_action(i); });
    if (awaited[i]) events[i] = queue.record();
    if (step->failed()) return;
  }
  for (Queue* queue : queues_) await(*queue->record(), *step);
}

/// Returns when `event` is complete or an action has failed.
void Executor::await(const Event& event, const Step& step) const {
  using Clock = std::chrono::steady_clock;
  // Completion wakes this thread at once; the interval only bounds how late a failure is seen.
  const auto interval = std::min(patience_.progress, std::chrono::milliseconds(20));
  long seen = *step.progress;
  auto since = Clock::now();
  while (!event.wait_for(interval)) {
    if (step.failed()) return;
    if (*step.progress != seen) {
      seen = *step.progress;
      since = Clock::now();
    } else if (Clock::now() - since >= patience_.progress) {
      const double seconds = std::chrono::duration<double>(patience_.progress).count();
      throw CommError("step: no progress for " + std::to_string(seconds) + " s, " + step.where({}) +
                      " (another rank is lost or hangs, or the network is down). See what the "
                      "other ranks say");
    }
  }
}

std::string Executor::where(const Describe& more) const {
  std::shared_ptr<Step> step;
  {
    const std::lock_guard lock(current_mutex_);
    step = current_;
  }
  return step ? step->where(more) : "between steps";
}

void Executor::drain() {
  for (Queue* queue : queues_)
    if (!queue->record()->wait_for(patience_.drain)) stuck_ = true;
}

std::int64_t exposed_ns(std::span<const ActionTime> actions, plan::Lane lane) {
  std::int64_t exposed = 0;
  std::size_t c = 0;  // actions of a lane do not overlap and stand in order of time
  for (const ActionTime& a : actions) {
    if (a.action.lane != lane) continue;
    exposed += a.end_ns - a.start_ns;
    for (std::size_t k = c; k < actions.size(); ++k) {
      const ActionTime& compute = actions[k];
      if (compute.action.lane != plan::Lane::compute) continue;
      if (compute.start_ns >= a.end_ns) break;
      if (compute.end_ns <= a.start_ns) c = k + 1;  // before every later one, too
      exposed -= std::max<std::int64_t>(
          0, std::min(a.end_ns, compute.end_ns) - std::max(a.start_ns, compute.start_ns));
    }
  }
  return exposed;
}

}  // namespace vlmark::engine
