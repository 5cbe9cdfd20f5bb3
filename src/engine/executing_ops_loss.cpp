#include <limits>

#include "kernels/linear_cross_entropy.hpp"
#include "src/base/fault.hpp"
#include "src/engine/executing_ops.hpp"
#include "src/engine/sliced_cross_entropy.hpp"

namespace vlmark::engine {

using kernels::Mat;
using kernels::Vec;

template <class T>
double ExecutingOps<T>::run_linear_cross_entropy(const Tensor& h, const plan::Linear& head,
                                                 const Indices& targets, float scale, Tensor* dh,
                                                 Tensor& losses, Tensor& logits_tile) {
  const Mat<const T> rows = mat<const T>(h), w = parameters_.matrix(head.weight);
  const Vec<float> loss = memory_.row<float>(losses);
  if (dh) {
    const Mat<float> dw =
        this->learns(head.weight) ? parameters_.gradient(head.weight) : Mat<float>();
    kernels::linear_cross_entropy(exec_, rows, w, indices(targets), scale, loss, mat<T>(*dh), dw,
                                  mat<float>(logits_tile));
  } else {
    kernels::linear_cross_entropy_losses(exec_, rows, w, indices(targets), loss,
                                         mat<float>(logits_tile));
  }
  return total(losses);
}

template <class T>
double ExecutingOps<T>::total(const Tensor& losses) const {
  double sum = 0;
  staging_.visit(exec_, memory_.at<const float>(losses.offset()),
                 static_cast<std::size_t>(losses.columns()),
                 [&sum](std::span<const float> values, std::size_t) {
                   for (const float value : values) sum += value;
                 });
  return planted(Fault::nan_loss) ? std::numeric_limits<double>::quiet_NaN() : sum;
}

template <class T>
double ExecutingOps<T>::run_sliced_cross_entropy(const Tensor& h, const plan::Linear& head,
                                                 const Indices& targets, float scale, Tensor* dh,
                                                 Tensor& losses, Tensor& logits_tile,
                                                 Tensor& maxima, Tensor& sums) {
  const Mat<float> dw =
      dh && this->learns(head.weight) ? parameters_.gradient(head.weight) : Mat<float>();
  engine::sliced_cross_entropy<T>(
      exec_, group_, memory_, mat<const T>(h), parameters_.matrix(head.weight),
      static_cast<int>(this->table().vocab.begin), indices(targets), scale,
      memory_.row<float>(losses), dh ? mat<float>(*dh) : Mat<float>(), dw, mat<float>(logits_tile),
      maxima, sums);
  return group_.rank() == 0 ? total(losses) : 0;
}

template double ExecutingOps<float>::run_linear_cross_entropy(const Tensor&, const plan::Linear&,
                                                              const Indices&, float, Tensor*,
                                                              Tensor&, Tensor&);
template double ExecutingOps<float>::run_sliced_cross_entropy(const Tensor&, const plan::Linear&,
                                                              const Indices&, float, Tensor*,
                                                              Tensor&, Tensor&, Tensor&, Tensor&);
template double ExecutingOps<float>::total(const Tensor&) const;
template double ExecutingOps<bf16>::run_linear_cross_entropy(const Tensor&, const plan::Linear&,
                                                             const Indices&, float, Tensor*,
                                                             Tensor&, Tensor&);
template double ExecutingOps<bf16>::run_sliced_cross_entropy(const Tensor&, const plan::Linear&,
                                                             const Indices&, float, Tensor*,
                                                             Tensor&, Tensor&, Tensor&, Tensor&);
template double ExecutingOps<bf16>::total(const Tensor&) const;

}  // namespace vlmark::engine
