#include "parallel/checks.hpp"

#include <functional>
#include <string>

#include "src/base/error.hpp"

namespace vlmark::parallel {
namespace {

std::string described(const ConstBuffer& buffer) {
  return std::to_string(buffer.count) + " x " + std::string(name_of(buffer.type));
}

}  // namespace

void require_host(const char* where, const ConstBuffer& buffer) {
  if (buffer.queue)
    throw CommError(std::string(where) +
                    ": the buffer is on a device queue (a host transport cannot wait for it)."
                    " Fence the queue and pass queue = nullptr");
  if (!buffer.data && buffer.count > 0)
    throw ValueError(std::string(where) + ": null pointer with " + described(buffer) +
                     " (nothing to read or write). Pass the memory, or count 0");
}

void require_reducible(const char* where, const ConstBuffer& buffer, Reduce op) {
  require_host(where, buffer);
  if (buffer.type == DType::bf16)
    throw CommError(std::string(where) + ": " + name_of(op) +
                    " of bf16 (a transport has no defined rounding for it; expected fp32, fp64 or "
                    "an integer type). Widen to fp32 first");
}

void require_rank(const char* where, const char* name, int peer, int size) {
  if (peer < 0 || peer >= size)
    throw ValueError(std::string(where) + ": " + name + " is rank " + std::to_string(peer) +
                     " (the group has ranks 0 to " + std::to_string(size - 1) +
                     "). Pass a rank of this communicator");
}

void require_tag(const char* where, int tag) {
  if (tag < 0 || tag > kMaxTag)
    throw ValueError(std::string(where) + ": tag is " + std::to_string(tag) +
                     " (every MPI guarantees 0 to " + std::to_string(kMaxTag) +
                     " only). Pass a smaller tag");
}

void require_color(const char* where, int color) {
  if (color < 0)
    throw ValueError(
        std::string(where) + ": color is " + std::to_string(color) +
        " (expected >= 0: every rank joins a group). Give the rank a group of its own");
}

bool require_slice(const char* where, const ConstBuffer& slice, const ConstBuffer& whole, int rank,
                   int size) {
  require_host(where, slice);
  require_host(where, whole);
  if (slice.type != whole.type || slice.count * static_cast<std::size_t>(size) != whole.count)
    throw ShapeError(std::string(where) + ": a slice of " + described(slice) + " on each of " +
                     std::to_string(size) + " ranks, the whole " + described(whole) +
                     " (slices are equal and of one type). Make the whole " +
                     std::to_string(slice.count * static_cast<std::size_t>(size)) + " elements");
  const auto* slice_begin = static_cast<const std::byte*>(slice.data);
  const auto* whole_begin = static_cast<const std::byte*>(whole.data);
  if (slice.count == 0) return false;
  if (slice_begin == whole_begin + static_cast<std::size_t>(rank) * slice.bytes()) return true;
  // std::less orders unrelated pointers too, operator< does not promise it.
  const std::less<> before;
  if (before(slice_begin, whole_begin + whole.bytes()) &&
      before(whole_begin, slice_begin + slice.bytes()))
    throw ValueError(std::string(where) + ": the slice overlaps the whole at byte " +
                     std::to_string(slice_begin - whole_begin) +
                     " (expected apart, or in place at " +
                     std::to_string(static_cast<std::size_t>(rank) * slice.bytes()) +
                     "). Pass slice " + std::to_string(rank) + " of it, or memory of its own");
  return false;
}

}  // namespace vlmark::parallel
