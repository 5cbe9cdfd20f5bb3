#pragma once

#include <memory>
#include <string>

#include "parallel/buffer.hpp"
#include "parallel/request.hpp"

namespace vlmark::parallel {

enum class Reduce : std::uint8_t { sum, max, min };
constexpr const char* name_of(Reduce op) {
  return op == Reduce::sum ? "sum" : op == Reduce::max ? "max" : "min";
}

/// A group of ranks. Every call except send and receive is collective and comes in the same order,
/// with the same counts and types, on each rank of the group. A call returns at once; its buffers
/// belong to the operation until wait(). Waiting for one request while another rank waits for an
/// earlier one is legal: all requests of a rank make progress inside any wait().
///
/// The order of additions in a sum is the transport's own: it may differ between group sizes. What
/// must not depend on the layout is summed along parallel/tree.hpp.
///
/// Booked in counters(), n = size() and s = bytes of one element. A group of one rank books
/// nothing, because nothing leaves the rank. `messages` counts transport operations, receives and
/// barriers included; P(k) = max(1, ceil(k / floor(L / s))) is the number of pieces of k elements,
/// L the largest message (2^30 byte).
///
/// | call           | sent_bytes                 | messages                                     |
/// |----------------|----------------------------|----------------------------------------------|
/// | all_reduce     | count s                    | P(count)                                     |
/// | reduce_scatter | in.count s = n out.count s | 1; n P(out.count) in place or above L        |
/// | all_gather     | in.count s (one slice)     | 1; P(in.count) if out.count s > L            |
/// | broadcast      | count s on root, else 0    | P(count)                                     |
/// | send           | count s                    | P(count)                                     |
/// | receive        | 0                          | P(count)                                     |
/// | barrier        | 0                          | 1                                            |
/// | split          | 0                          | 0                                            |
///
/// All throw ShapeError (counts or types that do not fit together), ValueError (a rank or tag out
/// of range, buffers that overlap other than as allowed) and CommError (the transport's own text;
/// a sum, maximum or minimum of bf16, which has no defined rounding in a transport; a buffer on a
/// device queue given to a host transport).
class Communicator {
 public:
  virtual ~Communicator() = default;
  virtual int rank() const noexcept = 0;
  virtual int size() const noexcept = 0;
  /// Whether buffers may lie in the memory of a device. Where not, the caller copies.
  virtual bool carries_device_memory() const noexcept { return false; }

  /// BEFORE: rank i holds a_i.   AFTER: every rank holds op(a_0, ..., a_{n-1}).
  virtual Request all_reduce(Buffer in_out, Reduce op) = 0;

  /// BEFORE: rank i holds a_i = [a_i0 | ... | a_i,n-1], equal slices.
  /// AFTER:  rank i holds op(a_0i, ..., a_n-1,i) in `out`.
  /// `out` may be slice i of `in` itself: only that slice changes.
  virtual Request reduce_scatter(ConstBuffer in, Buffer out, Reduce op) = 0;

  /// BEFORE: rank i holds a_i.   AFTER: every rank holds [a_0 | ... | a_{n-1}], equal slices.
  /// `in` may be slice rank() of `out` itself.
  virtual Request all_gather(ConstBuffer in, Buffer out) = 0;

  /// BEFORE: `root` holds a.   AFTER: every rank holds a.
  virtual Request broadcast(Buffer in_out, int root) = 0;

  /// Point to point. Messages of one sender, receiver and tag arrive in the order sent; a message
  /// of another length than the receiver's buffer is a CommError. Tags: 0 ... 32767.
  virtual Request send(ConstBuffer in, int to, int tag) = 0;
  virtual Request receive(Buffer out, int from, int tag) = 0;

  /// AFTER: every rank has entered.
  virtual Request barrier() = 0;

  /// Groups of equal `color` (>= 0), ordered by `key`, then by rank. Blocking.
  virtual std::unique_ptr<Communicator> split(int color, int key) = 0;

  /// Name of the machine this rank runs on.
  std::string host() const;
};

inline constexpr int kMaxTag = 32767;  ///< what every MPI guarantees

}  // namespace vlmark::parallel
