#include "src/plan/tensor_fill.hpp"

#include <algorithm>

#include "src/base/philox.hpp"

namespace vlmark::plan {

TensorFill initial_weights(std::uint64_t seed) {
  return [seed](const LogicalTensor& tensor, long first, std::span<float> values) {
    if (tensor.kind == Kind::gain || tensor.kind == Kind::bias) {
      std::fill(values.begin(), values.end(), tensor.kind == Kind::gain ? 1.0f : 0.0f);
      return;
    }
    const Philox random(seed, tensor.name);
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = 0.02f * random.normal(static_cast<std::uint64_t>(first) + i);
  };
}

}  // namespace vlmark::plan
