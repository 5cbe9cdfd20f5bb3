#include "bench/data.hpp"
#include "bench/workload.hpp"
#include "kernels/activation.hpp"
#include "kernels/reference/activation.hpp"

namespace vlmark::bench {
namespace {

namespace reference = kernels::reference;

constexpr int kSampled = 64;  // rows

}  // namespace

template <class T>
Workload activation_workload(const Call& c) {
  // Extents of the first tensor: [gate | up] of swiglu, x, and dy of gradients.
  const bool gated = c.kernel.starts_with("swiglu"), backward = c.kernel.ends_with("backward");
  const bool exact = c.part == Part::merger;
  const int width = static_cast<int>(gated && !backward ? c.n / 2 : c.n);
  const Mat<T> x = uniform<T>(c.m, gated ? 2 * width : width, 1), dy = uniform<T>(c.m, width, 2),
               result = uniform<T>(c.m, gated && backward ? 2 * width : width, 3);
  const std::vector<int> rows = sample(c.m, kSampled);
  const auto run = [=] {
    const Exec exec;
    if (gated && backward)
      kernels::swiglu_backward(exec, dy, x, result);
    else if (gated)
      kernels::swiglu(exec, x, result);
    else if (exact && backward)
      kernels::gelu_erf_backward(exec, dy, x, result);
    else if (exact)
      kernels::gelu_erf(exec, x, result);
    else if (backward)
      kernels::quick_gelu_backward(exec, dy, x, result);
    else
      kernels::quick_gelu(exec, x, result);
  };
  const auto expected = [=]() -> reference::Values {
    const auto in = rows_of(x, rows), d = rows_of(dy, rows);
    if (gated)
      return backward ? reference::swiglu_backward(d, in, width) : reference::swiglu(in, width);
    if (exact) return backward ? reference::gelu_erf_backward(d, in) : reference::gelu_erf(in);
    return backward ? reference::quick_gelu_backward(d, in) : reference::quick_gelu(in);
  };
  return {run, [=] { return error_of<T>(rows_of(result, rows), expected()); },
          [=] { spoil(result); }, ""};
}
template Workload activation_workload<float>(const Call&);
template Workload activation_workload<bf16>(const Call&);

}  // namespace vlmark::bench
