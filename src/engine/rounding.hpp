#pragma once

#include "kernels/stochastic_rounding.hpp"
#include "src/base/contracts.hpp"
#include "src/plan/parameters.hpp"

namespace vlmark::engine {

/// The bits that round elements of the held part of `tensor` from `first` on: by their places in the
/// whole tensor, however ranks share it.
inline kernels::RoundingBits rounding_bits(const Philox& random, std::uint64_t step,
                                           const plan::LogicalTensor& tensor, long first) {
  const plan::TensorPart& part = tensor.part;
  const auto place = [](long x) { return static_cast<std::uint64_t>(x); };
  expects(tensor.whole_size() < 1L << kernels::RoundingBits::element_bits && step < 1u << 24);
  if (part.held_columns() == part.columns)
    return {random, step, place(part.row_begin * part.columns + first)};
  const long width = part.held_columns(), row = part.row_begin + first / width;
  return {random,
          step,
          place(row * part.columns + part.column_begin),
          place(first % width),
          place(width),
          place(part.columns)};
}

}  // namespace vlmark::engine
