#include <cmath>
#include <memory>
#include <optional>

#include "bench/data.hpp"
#include "bench/workload.hpp"
#include "kernels/gemm.hpp"
#include "kernels/reference/gemm.hpp"
#include "kernels/reference/rows.hpp"
#include "src/base/device_memory.hpp"
#include "src/verification/gemm_residual.hpp"

namespace vlmark::bench {
namespace {

using kernels::GemmShape;
using kernels::Trans;

constexpr int kSampled = 12;  // rows and columns of a result that the reference forms

template <class T>
constexpr DType type_of = std::is_same_v<T, float> ? DType::f32 : DType::bf16;

/// One product with its operands, judged as a whole by random vectors in double (rule V2) and
/// element by element where sampled rows and columns cross.
template <class A, class B, class C>
class Product {
 public:
  Product(Trans ta, Trans tb, const Call& call, float beta)
      : shape_{type_of<A>,
               type_of<B>,
               type_of<C>,
               ta,
               tb,
               static_cast<int>(call.m),
               static_cast<int>(call.n),
               static_cast<int>(call.k)},
        beta_(beta),
        a_(ta == Trans::no ? uniform<A>(call.m, call.k, 1) : uniform<A>(call.k, call.m, 1)),
        b_(tb == Trans::no ? uniform<B>(call.k, call.n, 2) : uniform<B>(call.n, call.k, 2)),
        c_(uniform<C>(call.m, call.n, 3)),
        bias_(call.bias ? uniform<C>(call.n, 4) : Vec<C>()),
        rows_(sample(call.m, kSampled)),
        columns_(sample(call.n, kSampled)),
        before_(block(c_, rows_, columns_)) {
    exec_.fence("bench::product");
    probe_.emplace(gemm_call(), Philox(1, "bench::gemm"), kDeviceMemory);
  }

  void run() const {
    if constexpr (std::is_same_v<A, B> && std::is_same_v<B, C>) {
      if (bias_.extent(0) > 0) {
        kernels::gemm_bias(exec_, shape_.ta, shape_.tb, a_, b_, Vec<const C>(bias_), c_);
        return;
      }
    }
    kernels::gemm(exec_, shape_.ta, shape_.tb, Mat<const A>(a_), Mat<const B>(b_), beta_, c_);
  }

  double error() const {
    const std::vector<int> depth = all(shape_.k);
    const bool ta = shape_.ta == Trans::yes, tb = shape_.tb == Trans::yes;
    const auto a = ta ? block(a_, depth, rows_) : block(a_, rows_, depth);
    const auto b = tb ? block(b_, columns_, depth) : block(b_, depth, columns_);
    const int rows = static_cast<int>(rows_.size()), columns = static_cast<int>(columns_.size());
    auto expected = kernels::reference::gemm(ta, tb, rows, columns, shape_.k, a, b);
    if (beta_ != 0)
      for (std::size_t i = 0; i < expected.size(); ++i) expected[i] += before_[i];
    if (bias_.extent(0) > 0)
      expected = kernels::reference::add_bias(values(bias_, columns_), expected);
    // The size of an element: k products of numbers of variance 1/3.
    const double size = std::sqrt(static_cast<double>(shape_.k)) / 3 + 1;
    const double elements = worst(block(c_, rows_, columns_), expected, kRounding<C>, kSums * size);
    return worse(probe_->judge(gemm_call()).worst() / verification::gemm_limit(shape_.c), elements);
  }

  void spoil() const { bench::spoil(c_); }
  const GemmShape& shape() const { return shape_; }

 private:
  template <class T>
  static kernels::Operand<const void*> operand(const Mat<T>& m) {
    return {m.data(), static_cast<long>(m.stride(0))};
  }
  kernels::GemmCall gemm_call() const {
    return {exec_,
            shape_,
            operand(a_),
            operand(b_),
            operand(c_),
            beta_,
            bias_.extent(0) > 0 ? bias_.data() : nullptr};
  }

  Exec exec_;
  GemmShape shape_;
  float beta_;
  Mat<A> a_;
  Mat<B> b_;
  Mat<C> c_;
  Vec<C> bias_;
  std::vector<int> rows_, columns_;
  std::vector<double> before_;
  std::optional<verification::GemmProbe> probe_;
};

template <class A, class B, class C>
Workload workload(Trans ta, Trans tb, const Call& call, float beta) {
  const auto product = std::make_shared<Product<A, B, C>>(ta, tb, call, beta);
  return {[product] { product->run(); }, [product] { return product->error(); },
          [product] { product->spoil(); },
          kernels::name_of(kernels::choose_gemm(product->shape(), kernels::gemm_settings()))};
}

}  // namespace

template <class T>
Workload product_workload(const Call& c) {
  const Trans no = Trans::no, yes = Trans::yes;
  if (c.kernel == "linear" && c.result == c.type) return workload<T, T, T>(no, yes, c, 0);
  if (c.kernel == "linear" || c.kernel == "partial_linear" || c.kernel == "head")
    return workload<T, T, float>(no, yes, c, 0);
  if (c.kernel == "add_linear") return workload<T, T, float>(no, yes, c, 1);
  if (c.kernel == "head_backward_input") return workload<float, T, float>(no, no, c, 0);
  if (c.kernel == "head_backward_weight") return workload<float, T, float>(yes, no, c, 1);
  if (c.kernel == "linear_backward_weight") return workload<T, T, float>(yes, no, c, 1);
  if (c.result == c.type) return workload<T, T, T>(no, no, c, 0);
  return workload<T, T, float>(no, no, c, 0);
}
template Workload product_workload<float>(const Call&);
template Workload product_workload<bf16>(const Call&);

}  // namespace vlmark::bench
