#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "src/plan/schedule_shape.hpp"

namespace vlmark::plan {

/// Plays the actions of one rank in order of issue and keeps what every buffer holds. Says what each
/// kind of action needs by itself, without the code that writes schedules.
class MemoryPlay {
 public:
  explicit MemoryPlay(const ScheduleShape& shape);

  void play(const Action& action, std::vector<std::string>& problems);
  /// What must hold at the end of a step.
  void end(std::vector<std::string>& problems) const;

 private:
  /// Contents of a slot, in this order round and round.
  enum class Step { empty, under_way, full };
  struct Slot {
    Step step = Step::empty;
    int micro_batch = -1, chunk = -1;
    std::string by;  // the action that put it there
  };

  void read(const Action& action, BufferId buffer);
  void needs(const Action& action);
  void need(const Action& action, BufferId buffer);
  void need_parameters(const Action& action, int segment);
  void pass(const Action& action);
  void message(const Action& action);
  void weights(const Action& action);
  void update(const Action& action);
  bool has_slot(const Action& action, BufferId::Kind kind, Message message, bool writes) const;
  void say(const Action& action, const std::string& text);

  const ScheduleShape& shape_;
  int last_segment_;
  std::set<BufferId> written_, freed_;
  std::map<BufferId, Slot> slots_;
  std::map<int, bool> whole_;    // [bucket] of the parameters
  std::map<int, int> received_;  // [place] bucket whose subtrees lie there
  std::map<int, int> finished_;  // [bucket] 1: reduced, 2: joined
  std::set<int> replicated_;     // buckets summed over tensor ranks
  std::set<int> updated_;        // by the optimizer
  std::set<BufferId> joined_;    // gradients
  bool copy_fresh_, copy_arriving_ = false, weights_leaving_ = false;
  std::vector<std::string>* problems_ = nullptr;
};

}  // namespace vlmark::plan
