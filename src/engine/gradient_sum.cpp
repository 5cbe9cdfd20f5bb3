#include "src/engine/gradient_sum.hpp"

#include <string>

#include "kernels/reduce.hpp"
#include "src/engine/rounding.hpp"

namespace vlmark::engine {

using kernels::Vec;
using plan::Range;

template <class S>
GradientSum<S>::GradientSum(const kernels::Exec& exec, const plan::ParameterTable& table,
                            const plan::FlatLayout& layout, std::uint64_t seed)
    : table_(table), exec_(exec), seed_(seed) {
  for (const plan::LogicalTensor& tensor : table.tensors)
    tensor_ranges_.push_back(layout.range(tensor));
}

template <class S>
template <class From>
void GradientSum<S>::add(Range flat, S* into, const From* from, const Block& covers) const {
  if constexpr (std::is_same_v<S, float>) {
    const auto n = static_cast<std::size_t>(flat.size());
    kernels::add_in_place(exec_, Vec<float>(into, n), Vec<const float>(from, n));
  } else {
    const std::string sum =
        " " + std::to_string(covers.begin) + " to " + std::to_string(covers.end);
    for (std::size_t i = 0; i < tensor_ranges_.size(); ++i) {
      const Range held = tensor_ranges_[i], part = overlap(held, flat);
      if (part.size() == 0) continue;
      const auto n = static_cast<std::size_t>(part.size());
      const long at = part.begin - flat.begin;
      const plan::LogicalTensor& tensor = table_.tensors[i];
      kernels::add_in_place(
          exec_, Vec<bf16>(into + at, n), Vec<const From>(from + at, n),
          rounding_bits(Philox(seed_, tensor.name + sum), step_, tensor, part.begin - held.begin));
    }
  }
}

template class GradientSum<float>;
template class GradientSum<bf16>;
template void GradientSum<float>::add(Range, float*, const float*, const Block&) const;
template void GradientSum<bf16>::add(Range, bf16*, const bf16*, const Block&) const;
template void GradientSum<bf16>::add(Range, bf16*, const float*, const Block&) const;

}  // namespace vlmark::engine
