#include "kernels/linear_cross_entropy.hpp"

#include "kernels/cross_entropy.hpp"
#include "kernels/gemm.hpp"
#include "kernels/shape.hpp"

namespace vlmark::kernels {
namespace {

template <class T>
void run(const char* where, const Exec& exec, Mat<const T> h, Mat<const T> w,
         Vec<const int> targets, float scale, Vec<float> losses, const Mat<T>* dh,
         const Mat<float>* dw, Mat<float> workspace) {
  const int rows = h.extent_int(0), hidden = h.extent_int(1), vocab = w.extent_int(0);
  require_shape(where, "w", w, vocab, hidden);
  require_shape(where, "targets", targets, rows);
  require_shape(where, "losses", losses, rows);
  const int tile = linear_cross_entropy_tile(rows, vocab);
  if (workspace.extent_int(0) < tile || workspace.extent_int(1) != vocab)
    require_shape(where, "workspace", workspace, tile, vocab);
  if (dh) require_shape(where, "dh", *dh, rows, hidden);
  const bool head_learns = dw && dw->extent(0) > 0;
  if (head_learns) require_shape(where, "dw", *dw, vocab, hidden);
  for (int begin = 0; begin < rows; begin += tile) {
    const Kokkos::pair<int, int> part(begin, begin + tile < rows ? begin + tile : rows);
    const Mat<const T> h_tile = Kokkos::subview(h, part, Kokkos::ALL);
    const Mat<float> logits =
        Kokkos::subview(workspace, Kokkos::pair<int, int>(0, part.second - begin), Kokkos::ALL);
    gemm(exec, Trans::no, Trans::yes, h_tile, w, 0, logits);
    softmax_cross_entropy(exec, logits, Kokkos::subview(targets, part), scale,
                          Kokkos::subview(losses, part), dh != nullptr);
    if (!dh) continue;
    gemm(exec, Trans::no, Trans::no, Mat<const float>(logits), w, 0,
         Mat<T>(Kokkos::subview(*dh, part, Kokkos::ALL)));
    if (head_learns) gemm(exec, Trans::yes, Trans::no, Mat<const float>(logits), h_tile, 1, *dw);
  }
}

}  // namespace

void linear_cross_entropy(const Exec& exec, Mat<const float> h, Mat<const float> w,
                          Vec<const int> targets, float scale, Vec<float> losses, Mat<float> dh,
                          Mat<float> dw, Mat<float> workspace) {
  run<float>("linear_cross_entropy", exec, h, w, targets, scale, losses, &dh, &dw, workspace);
}
void linear_cross_entropy(const Exec& exec, Mat<const bf16> h, Mat<const bf16> w,
                          Vec<const int> targets, float scale, Vec<float> losses, Mat<bf16> dh,
                          Mat<float> dw, Mat<float> workspace) {
  run<bf16>("linear_cross_entropy", exec, h, w, targets, scale, losses, &dh, &dw, workspace);
}
void linear_cross_entropy_losses(const Exec& exec, Mat<const float> h, Mat<const float> w,
                                 Vec<const int> targets, Vec<float> losses, Mat<float> workspace) {
  run<float>("linear_cross_entropy_losses", exec, h, w, targets, 0, losses, nullptr, nullptr,
             workspace);
}
void linear_cross_entropy_losses(const Exec& exec, Mat<const bf16> h, Mat<const bf16> w,
                                 Vec<const int> targets, Vec<float> losses, Mat<float> workspace) {
  run<bf16>("linear_cross_entropy_losses", exec, h, w, targets, 0, losses, nullptr, nullptr,
            workspace);
}

}  // namespace vlmark::kernels
