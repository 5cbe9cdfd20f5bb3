#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace vlmark {

/// Where a kernel call or a message stands in the model; a counter is kept for each.
enum class Part : std::uint8_t { vit, merger, decoder, head, other };
inline constexpr int kParts = 5;
const char* name_of(Part part);

/// What this process did, counted at the calls themselves (GEMM, attention, MPI) and never taken
/// from a plan, so that a plan can be held against it. Plain numbers: a step copies them.
struct Counts {
  std::uint64_t gemm_flops[kParts] = {};       ///< 2 m n k per product
  std::uint64_t attention_flops[kParts] = {};  ///< model FLOPs, causal counted half
  std::int64_t part_ns[kParts] = {};           ///< time spent inside each part
  std::uint64_t sent_bytes = 0;                ///< payload handed to the transport by this rank
  std::uint64_t messages = 0;                  ///< transport operations started by this rank
};

/// The counts, and which kernels ran. The compute lane alone writes them, except for bytes and
/// messages, which transports add to atomically from the lanes of messages; others read them between
/// steps.
struct Counters : Counts {
  /// "gemm nt f32 512x1536x8960" -> kernel that ran and how often.
  std::map<std::string, std::map<std::string, std::uint64_t>> kernels;

  std::uint64_t flops() const;
  void reset();
};

/// The counters of this process.
Counters& counters();

/// The part that calls and time are booked on from here to the end of the scope; an inner scope
/// takes over until it ends.
class CountedPart {
 public:
  explicit CountedPart(Part part);
  ~CountedPart();
  CountedPart(const CountedPart&) = delete;
  CountedPart& operator=(const CountedPart&) = delete;
  static Part current();

 private:
  Part before_;
};

}  // namespace vlmark
