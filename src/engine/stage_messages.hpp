#pragma once

#include <map>
#include <tuple>

#include "parallel/groups.hpp"
#include "src/engine/arena_memory.hpp"
#include "src/model/stage_passes.hpp"

namespace vlmark::engine {

/// The messages between pipeline stages: each lies in a slot of the arena from its post to its
/// finish. Used by the pipeline lane alone.
class StageMessages {
 public:
  /// Memory the new weights of a tied embedding are sent from and received into, of `type`.
  struct Table {
    void* data = nullptr;
    std::size_t count = 0;
    DType type = DType::f32;
  };

  StageMessages(const model::Ops& ops, const model::StagePasses& passes, const ArenaMemory& memory,
                parallel::Groups& groups, Table table)
      : ops_(ops), passes_(passes), memory_(memory), groups_(groups), table_(table) {}

  /// Starts or ends the message of one action; `shape`: of its micro-batch, if it has one.
  void post(const plan::Action& action, const plan::MicroBatchShape* shape);
  void finish(const plan::Action& action);

 private:
  using Key = std::tuple<bool, plan::Message, int>;  // receives, message, slot
  static Key key_of(const plan::Action& action);
  parallel::Communicator& communicator(plan::Message message) const;
  parallel::Buffer buffer_of(const plan::Action& action, const plan::MicroBatchShape* shape) const;

  const model::Ops& ops_;
  const model::StagePasses& passes_;
  const ArenaMemory& memory_;
  parallel::Groups& groups_;
  Table table_;
  std::map<Key, parallel::Request> under_way_;
};

}  // namespace vlmark::engine
