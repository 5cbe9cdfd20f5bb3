#include "kernels/gemm.hpp"

#include <map>

#include "kernels/gemm_kernels.hpp"
#include "kernels/gemm_onednn.hpp"
#include "kernels/observer.hpp"
#include "kernels/planted_fault.hpp"
#include "kernels/rows.hpp"
#include "kernels/shape.hpp"
#include "src/base/counters.hpp"
#include "src/base/fault.hpp"

namespace vlmark::kernels {
namespace {

template <class T>
constexpr DType dtype_of() {
  return std::is_same_v<std::remove_const_t<T>, float> ? DType::f32 : DType::bf16;
}

template <class T>
Operand<const void*> untyped(const Operand<T*>& m) {
  return {m.data, m.row};
}

template <class T>
auto operand(const Mat<T>& m) {
  return Operand<T*>{m.data(), static_cast<long>(m.stride(0))};
}

void book(const GemmShape& shape, const std::string& kernel) {
  // The text of a key costs more than a small product.
  static std::map<GemmShape, std::string> keys;
  std::string& key = keys[shape];
  if (key.empty()) key = gemm_key(shape);
  Counters& counted = counters();
  counted.gemm_flops[static_cast<int>(CountedPart::current())] +=
      std::uint64_t{2} * static_cast<std::uint64_t>(shape.m) * static_cast<std::uint64_t>(shape.n) *
      static_cast<std::uint64_t>(shape.k);
  ++counted.kernels[key][kernel];
}

/// Returns what ran, for the record. `bias` is for cuBLASLt's epilogue, the others ignore it.
template <class A, class B, class C>
std::string run(const Exec& exec, GemmKernel kernel, const GemmArguments<A, B, C>& arguments,
                const C* bias) {
  const auto c = operand(arguments.c);
  switch (kernel) {
    case GemmKernel::kokkos_tiled:
      gemm_tiled(exec, arguments);
      return name_of(kernel);
    case GemmKernel::kokkos_skinny:
      gemm_skinny(exec, arguments);
      return name_of(kernel);
    case GemmKernel::onednn_panels:
      gemm_panels(exec, arguments);
      return name_of(kernel);
    case GemmKernel::cublaslt:
      return gemm_cublaslt(exec, arguments.shape, untyped(operand(arguments.a)),
                           untyped(operand(arguments.b)), arguments.beta, {c.data, c.row}, bias);
    case GemmKernel::onednn_sgemm:
      if constexpr (std::is_same_v<A, float> && std::is_same_v<B, float> &&
                    std::is_same_v<C, float>) {
        const GemmShape& s = arguments.shape;
        onednn_sgemm(s.ta, s.tb, s.m, s.n, s.k, operand(arguments.a), operand(arguments.b),
                     arguments.beta, c);
        return name_of(kernel);
      }
      break;
    case GemmKernel::onednn_bf16:
      if constexpr (std::is_same_v<A, bf16> && std::is_same_v<B, bf16>) {
        onednn_bf16(arguments.shape, untyped(operand(arguments.a)), untyped(operand(arguments.b)),
                    arguments.beta, {c.data, c.row});
        return name_of(kernel);
      }
      break;
  }
  throw DeviceError("gemm: " + std::string(name_of(kernel)) + " does not serve " +
                    gemm_key(arguments.shape) + " (a defect of choose_gemm). Please report it");
}

/// `bias`: of the columns of C, with beta = 0; empty: none.
template <class A, class B, class C>
void gemm_impl(const Exec& exec, Trans ta, Trans tb, const Mat<const A>& a, const Mat<const B>& b,
               float beta, const Mat<C>& c, const Vec<const C>& bias = {}) {
  const int m = c.extent_int(0), n = c.extent_int(1);
  const int k = a.extent_int(ta == Trans::yes ? 0 : 1);
  const bool has_bias = bias.data() != nullptr;
  ta == Trans::yes ? require_shape("gemm", "a", a, k, m) : require_shape("gemm", "a", a, m, k);
  tb == Trans::yes ? require_shape("gemm", "b", b, n, k) : require_shape("gemm", "b", b, k, n);
  if (has_bias) require_shape("gemm", "bias", bias, n);
  if (beta != 0 && beta != 1)
    throw ValueError("gemm: beta is " + std::to_string(beta) +
                     " (must be 0 or 1). Scale the operands instead");
  if (m == 0 || n == 0) return;
  const GemmShape shape{dtype_of<A>(), dtype_of<B>(), dtype_of<C>(), ta, tb, m, n, k};
  const GemmKernel kernel = choose_gemm(shape, gemm_settings());
  if (has_bias && (k == 0 || kernel != GemmKernel::cublaslt)) {
    // The bias stands in C before the product, whose fp32 sums then take it in: rounded once.
    broadcast_row(exec, bias, c);
    beta = 1;
  }
  if (k == 0) {
    if (beta == 0) Kokkos::deep_copy(exec, c, C{});
    return;
  }
  const C* epilogue = kernel == GemmKernel::cublaslt ? bias.data() : nullptr;
  const GemmCall call{exec, shape,   untyped(operand(a)), untyped(operand(b)), untyped(operand(c)),
                      beta, epilogue};
  if (observer()) observer()->before_gemm(call);
  GemmArguments<A, B, C> arguments{shape, a, b, beta, c};
  if (planted(Fault::truncated_operands))
    arguments.a = truncated(exec, a), arguments.b = truncated(exec, b);
  book(shape, run(exec, kernel, arguments, epilogue));
  if (observer()) observer()->after_gemm(call);
  if (planted(Fault::truncated_operands)) exec.fence("vlmark::truncated");  // the copies end here
}

}  // namespace

void gemm(const Exec& exec, Trans ta, Trans tb, Mat<const float> a, Mat<const float> b, float beta,
          Mat<float> c) {
  gemm_impl<float, float, float>(exec, ta, tb, a, b, beta, c);
}
void gemm(const Exec& exec, Trans ta, Trans tb, Mat<const bf16> a, Mat<const bf16> b, float beta,
          Mat<bf16> c) {
  gemm_impl<bf16, bf16, bf16>(exec, ta, tb, a, b, beta, c);
}
void gemm(const Exec& exec, Trans ta, Trans tb, Mat<const bf16> a, Mat<const bf16> b, float beta,
          Mat<float> c) {
  gemm_impl<bf16, bf16, float>(exec, ta, tb, a, b, beta, c);
}
void gemm(const Exec& exec, Trans ta, Trans tb, Mat<const float> a, Mat<const bf16> b, float beta,
          Mat<bf16> c) {
  gemm_impl<float, bf16, bf16>(exec, ta, tb, a, b, beta, c);
}
void gemm(const Exec& exec, Trans ta, Trans tb, Mat<const float> a, Mat<const bf16> b, float beta,
          Mat<float> c) {
  gemm_impl<float, bf16, float>(exec, ta, tb, a, b, beta, c);
}
void gemm(const Exec& exec, Trans ta, Trans tb, Mat<const bf16> a, Mat<const float> b, float beta,
          Mat<float> c) {
  gemm_impl<bf16, float, float>(exec, ta, tb, a, b, beta, c);
}

void gemm_bias(const Exec& exec, Trans ta, Trans tb, Mat<const float> a, Mat<const float> b,
               Vec<const float> bias, Mat<float> c) {
  gemm_impl<float, float, float>(exec, ta, tb, a, b, 0, c, bias);
}
void gemm_bias(const Exec& exec, Trans ta, Trans tb, Mat<const bf16> a, Mat<const bf16> b,
               Vec<const bf16> bias, Mat<bf16> c) {
  gemm_impl<bf16, bf16, bf16>(exec, ta, tb, a, b, 0, c, bias);
}

}  // namespace vlmark::kernels
