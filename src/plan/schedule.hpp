#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vlmark::plan {

/// What one action of a schedule does.
enum class ActionKind : std::uint8_t {
  load,             ///< pixels and tokens of a micro-batch
  forward,          ///< of a chunk of layers for a micro-batch
  backward,         ///< of the same; forms the micro-batch's gradient
  join_gradients,   ///< adds finished gradients along the summation tree
  reduce_bucket,    ///< messages that sum a bucket over data-parallel ranks
  global_norm,      ///< over all ranks, and the loss of the step
  optimizer_slice,  ///< AdamW on the owned slice of a bucket
  gather_bucket,    ///< every rank gets the bucket's new parameters
  join_bucket,      ///< adds what reduce_bucket brought along the summation tree
  square_sums,      ///< of the owned slices, block by block: the parts of the global norm
};
inline constexpr int kActionKinds = 10;
const char* name_of(ActionKind kind);

/// Order holds inside a lane; between lanes only through buffers. Kernels run in the compute lane
/// alone and messages in the others alone: on a host those are threads that drive the transport.
enum class Lane : std::uint8_t { compute, tensor, pipeline, data };
inline constexpr int kLanes = 4;
const char* name_of(Lane lane);

/// A piece of memory that actions hand to each other.
struct BufferId {
  enum class Kind : std::uint8_t {
    input,
    activation,
    gradient,
    gradient_slice,
    norm,
    parameters,
    received,     ///< subtrees of other ranks; buckets share one
    square_sums,  ///< of all blocks
  };
  Kind kind;
  int index = 0;  ///< micro-batch or bucket

  auto operator<=>(const BufferId&) const = default;
};
std::string to_string(BufferId buffer);

struct Action {
  ActionKind kind;
  Lane lane = Lane::compute;
  int micro_batch = -1, chunk = -1, bucket = -1, peer = -1;
  std::vector<BufferId> reads, writes;  ///< dependencies and lifetimes follow from these
};
std::string to_string(const Action& action);

/// One rank's actions of one step, in the order they are issued.
using Schedule = std::vector<Action>;

/// The schedule of a model that stands whole on every rank: micro-batches [begin, end) forward and
/// backward one after the other, then the optimizer bucket by bucket.
Schedule one_stage(int begin, int end, int buckets);

/// Plays a schedule: every buffer is written before it is read, and parameters are whole at the
/// end. Returns every problem, naming action and buffer; empty means sound.
std::vector<std::string> check(const Schedule& schedule, int buckets);

}  // namespace vlmark::plan
