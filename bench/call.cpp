#include "bench/call.hpp"

#include <algorithm>

namespace vlmark::bench {

std::string Call::shape() const {
  std::string text = std::to_string(m) + "x" + std::to_string(n);
  return k > 0 ? text + "x" + std::to_string(k) : text;
}

std::string Call::name() const {
  return kernel + "/" + layer + "/" + std::string(name_of(type)) + "/" + model + "/tp" +
         std::to_string(tensor_ranks) + "/" + shape();
}

double Call::memory() const {
  // Operands once, results and gradients in fp32 even where the tensors are bf16; the table of an
  // embedding and its gradient.
  return 2 * bytes + 8.0 * static_cast<double>(table_rows) * static_cast<double>(n);
}

}  // namespace vlmark::bench
