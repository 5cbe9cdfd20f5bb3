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
  nan_loss              ///< the loss is NaN
};
inline constexpr Fault kFaults[] = {Fault::none,
                                    Fault::truncated_operands,
                                    Fault::skipped_layer,
                                    Fault::wrong_attention_row,
                                    Fault::shuffled_collective,
                                    Fault::wrong_gradient,
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
