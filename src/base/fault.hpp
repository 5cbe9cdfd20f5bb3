#pragma once

#include <cstdint>
#include <string_view>

namespace vlmark {

/// Errors that a test plants into a run to see a rule of verification find them (docs/verification.md).
/// Reserved for tests: a run with one says so and ends INVALID.
enum class Fault : std::uint8_t {
  none,
  truncated_operands,   ///< every matrix product reads its operands with 3 bits of mantissa
  skipped_layer,        ///< decoder layer 1 is left out, forward and backward
  wrong_attention_row,  ///< one row of one head of every attention is its neighbour's
  shuffled_collective,  ///< the first two elements of every fp32 sum over ranks change places
  wrong_gradient,       ///< the gradient of decoder layer 0's down projection is 1 % too large
  stale_gradient,       ///< the optimizer takes the gradient of the step before
  dropped_micro_batch,  ///< the last micro-batch of every step is one token, its work noted whole
  cached_output,        ///< steps after the first return its result and compute nothing
  short_run,            ///< the window ends after half its steps
  desynchronised_replica,  ///< one parameter of the last rank is another one after the last step
  wrong_picture_size,      ///< pictures are resized to the smallest area allowed
  lost_partial_sum,        ///< a tensor rank adds its own part twice, its neighbour's never
  lost_message,            ///< half of what a pipeline stage receives was there before
  swapped_channels,        ///< pictures reach the model with red and blue exchanged
  unshifted_targets,       ///< every supervised row is to predict its own token
  nan_loss                 ///< the loss is NaN
};
inline constexpr Fault kFaults[] = {Fault::none,
                                    Fault::truncated_operands,
                                    Fault::skipped_layer,
                                    Fault::wrong_attention_row,
                                    Fault::shuffled_collective,
                                    Fault::wrong_gradient,
                                    Fault::stale_gradient,
                                    Fault::dropped_micro_batch,
                                    Fault::cached_output,
                                    Fault::short_run,
                                    Fault::desynchronised_replica,
                                    Fault::wrong_picture_size,
                                    Fault::lost_partial_sum,
                                    Fault::lost_message,
                                    Fault::swapped_channels,
                                    Fault::unshifted_targets,
                                    Fault::nan_loss};

constexpr std::string_view name_of(Fault fault) {
  switch (fault) {
    case Fault::none:
      return "none";
    case Fault::truncated_operands:
      return "truncated_operands";
    case Fault::skipped_layer:
      return "skipped_layer";
    case Fault::wrong_attention_row:
      return "wrong_attention_row";
    case Fault::shuffled_collective:
      return "shuffled_collective";
    case Fault::wrong_gradient:
      return "wrong_gradient";
    case Fault::stale_gradient:
      return "stale_gradient";
    case Fault::dropped_micro_batch:
      return "dropped_micro_batch";
    case Fault::cached_output:
      return "cached_output";
    case Fault::short_run:
      return "short_run";
    case Fault::desynchronised_replica:
      return "desynchronised_replica";
    case Fault::wrong_picture_size:
      return "wrong_picture_size";
    case Fault::lost_partial_sum:
      return "lost_partial_sum";
    case Fault::lost_message:
      return "lost_message";
    case Fault::swapped_channels:
      return "swapped_channels";
    case Fault::unshifted_targets:
      return "unshifted_targets";
    case Fault::nan_loss:
      return "nan_loss";
  }
  return "?";
}

namespace detail {
inline Fault planted = Fault::none;
}

/// The fault of this process; none until plant_fault, which is called before any work starts.
inline bool planted(Fault fault) { return detail::planted == fault; }
inline void plant_fault(Fault fault) { detail::planted = fault; }

}  // namespace vlmark
