#include "src/engine/sliced_cross_entropy.hpp"

#include "kernels/cross_entropy_slices.hpp"
#include "kernels/gemm.hpp"

namespace vlmark::engine {

using kernels::columns;
using kernels::Mat;
using kernels::Trans;
using kernels::Vec;

template <class T>
void sliced_cross_entropy(const kernels::Exec& exec, const TensorGroup& group,
                          const ArenaMemory& memory, Mat<const T> h, Mat<const T> w, int first,
                          Vec<const int> targets, float scale, Vec<float> losses, Mat<float> dh,
                          Mat<float> dw, Mat<float> logits_tile, model::Tensor& maxima,
                          model::Tensor& sums) {
  const int rows = h.extent_int(0), tile = logits_tile.extent_int(0), me = group.rank();
  const bool gradient = dh.extent_int(0) == rows;
  const Mat<float> all_maxima = memory.matrix<float>(maxima), all_sums = memory.matrix<float>(sums);
  for (int begin = 0; begin < rows; begin += tile) {
    const int end = std::min(begin + tile, rows), n = end - begin;
    const Kokkos::pair<int, int> part(begin, end);
    const Mat<const T> h_tile = Kokkos::subview(h, part, Kokkos::ALL);
    const Vec<const int> y = Kokkos::subview(targets, part);
    const Mat<float> logits =
        Kokkos::subview(logits_tile, Kokkos::pair<int, int>(0, n), Kokkos::ALL);
    // Of the tile: sums and target logits of a rank lie side by side and travel together.
    const Mat<float> largest = columns(all_maxima, 0, n), sum = columns(all_sums, 0, n),
                     target = columns(all_sums, n, 2 * n);
    const auto mine = [me](const Mat<float>& m) -> Vec<float> {
      return Kokkos::subview(m, me, Kokkos::ALL);
    };
    kernels::gemm(exec, Trans::no, Trans::yes, h_tile, w, 0, logits);
    kernels::slice_maximum(exec, logits, y, first, mine(largest), mine(target));
    group.share(maxima, n);
    kernels::slice_exponentials(exec, logits, largest, gradient, mine(sum));
    group.share(sums, 2 * n);
    kernels::slice_losses(exec, largest, sum, target, Kokkos::subview(losses, part));
    if (!gradient) continue;
    kernels::slice_gradient(exec, logits, y, first, sum, scale);
    kernels::gemm(exec, Trans::no, Trans::no, Mat<const float>(logits), w, 0,
                  Mat<float>(Kokkos::subview(dh, part, Kokkos::ALL)));
    if (dw.extent(0) > 0)
      kernels::gemm(exec, Trans::yes, Trans::no, Mat<const float>(logits), h_tile, 1, dw);
  }
}

template void sliced_cross_entropy<float>(const kernels::Exec&, const TensorGroup&,
                                          const ArenaMemory&, Mat<const float>, Mat<const float>,
                                          int, Vec<const int>, float, Vec<float>, Mat<float>,
                                          Mat<float>, Mat<float>, model::Tensor&, model::Tensor&);
template void sliced_cross_entropy<bf16>(const kernels::Exec&, const TensorGroup&,
                                         const ArenaMemory&, Mat<const bf16>, Mat<const bf16>, int,
                                         Vec<const int>, float, Vec<float>, Mat<float>, Mat<float>,
                                         Mat<float>, model::Tensor&, model::Tensor&);

}  // namespace vlmark::engine
