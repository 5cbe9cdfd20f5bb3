#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vlmark::plan {

/// What one action of a schedule does.
enum class ActionKind : std::uint8_t {
  load,            ///< pixels, tokens and positions of a micro-batch, as far as the rank needs them
  forward,         ///< of a segment for a micro-batch
  backward,        ///< of the same; forms the micro-batch's gradient
  join_gradients,  ///< adds the finished gradient of a segment along the summation tree
  reduce_bucket,   ///< messages that sum a bucket over data-parallel ranks
  global_norm,     ///< over all ranks, and the loss of the step
  optimizer_slice,     ///< AdamW on the owned slice of a bucket
  gather_bucket,       ///< every data-parallel rank gets the bucket's new parameters
  join_bucket,         ///< adds what reduce_bucket brought along the summation tree
  square_sums,         ///< of the owned slices, block by block: the parts of the global norm
  post_receive,        ///< starts to receive a pipeline message into a slot
  post_send,           ///< starts to send one
  finish_receive,      ///< returns when it has arrived
  finish_send,         ///< returns when its memory is free again
  embedding_backward,  ///< adds the embedding's share, received from the first stage, to the gradient
  sum_replicated,      ///< sums over tensor ranks what each has of parameters they share
  average_replicated,  ///< averages over tensor ranks weights and moments of a bucket they replicate
  broadcast_lengths,   ///< the first stage tells the others the shape of a micro-batch
};
inline constexpr int kActionKinds = 18;
const char* name_of(ActionKind kind);

/// Order holds inside a lane; between lanes only through buffers. Kernels run in the compute lane
/// alone and messages in the others alone: on a host those are threads that drive the transport.
enum class Lane : std::uint8_t { compute, tensor, pipeline, data };
inline constexpr int kLanes = 4;
const char* name_of(Lane lane);

/// What pipeline ranks send each other. Messages of one kind between two ranks arrive in order;
/// those of different kinds pass each other.
enum class Message : std::uint8_t {
  activation,         ///< residual stream, to the next chunk
  gradient,           ///< of the residual stream, to the chunk before
  embedding_rows,     ///< gradient of the looked-up rows, first to last stage (tied embedding)
  embedding_weights,  ///< new weights, last to first stage (tied embedding); no slot
};
inline constexpr int kMessages = 4;
const char* name_of(Message message);

/// A piece of memory that actions hand to each other.
struct BufferId {
  enum class Kind : std::uint8_t {
    input,       ///< (micro-batch)
    activation,  ///< (micro-batch, segment): what the segment's backward needs
    gradient,    ///< (micro-batch, segment): of the segment's parameters
    gradient_slice,
    norm,
    parameters,
    received,         ///< subtrees of other ranks; buckets share ScheduleShape::received of them
    square_sums,      ///< of all blocks
    stream,           ///< (micro-batch, segment): what a segment hands to the next of its chunk
    stream_gradient,  ///< (micro-batch, segment): what it hands back to the one before
    receive_slot,     ///< (slot, message)
    send_slot,        ///< (slot, message)
    embedding_copy,   ///< the first stage's copy of a tied embedding
    lengths,          ///< (micro-batch): its shape, as a later stage was told
  };
  Kind kind;
  int index = 0;  ///< micro-batch, bucket or slot
  int part = -1;  ///< segment or message; -1: the kind has none

  auto operator<=>(const BufferId&) const = default;
};
std::string to_string(BufferId buffer);

struct Action {
  ActionKind kind;
  Lane lane = Lane::compute;
  int micro_batch = -1, chunk = -1, bucket = -1;
  int peer = -1;                          ///< pipeline rank
  std::vector<BufferId> reads, writes;    ///< dependencies and lifetimes follow from these
  int segment = -1;                       ///< local, counted over all chunks of the rank
  Message message = Message::activation;  ///< of post_ and finish_
  int slot = -1;  ///< of a message, or place of what reduce_bucket receives; -1: it has none

  bool is_message() const {
    return kind >= ActionKind::post_receive && kind <= ActionKind::finish_send;
  }
  bool operator==(const Action&) const = default;
};
/// "forward m3 s1", "post_send gradient m3 to stage 0 slot 1".
std::string to_string(const Action& action);

/// One rank's actions of one step, in the order they are issued.
using Schedule = std::vector<Action>;

/// The buffers that each action [schedule.size()] is the last to touch: their memory is free when
/// it has ended. Parameters, their copy and slots last and are left out.
std::vector<std::vector<BufferId>> last_uses(const Schedule& schedule);

}  // namespace vlmark::plan
