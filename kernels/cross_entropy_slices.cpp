#include "kernels/cross_entropy_slices.hpp"

#include "kernels/math.hpp"
#include "kernels/shape.hpp"
#include "kernels/team.hpp"

namespace vlmark::kernels {
namespace {

/// Over the ranks, in their order.
KOKKOS_INLINE_FUNCTION float largest_of(const Mat<const float>& maxima, int t) {
  float largest = maxima(0, t);
  for (std::size_t r = 1; r < maxima.extent(0); ++r)
    largest = maxima(r, t) > largest ? maxima(r, t) : largest;
  return largest;
}
KOKKOS_INLINE_FUNCTION float sum_of(const Mat<const float>& parts, int t) {
  float sum = parts(0, t);
  for (std::size_t r = 1; r < parts.extent(0); ++r) sum += parts(r, t);
  return sum;
}

}  // namespace

void slice_maximum(const Exec& exec, Mat<const float> logits, Vec<const int> targets, int first,
                   Vec<float> maximum, Vec<float> target_logit) {
  const int rows = logits.extent_int(0), slice = logits.extent_int(1);
  require_shape("slice_maximum", "targets", targets, rows);
  require_shape("slice_maximum", "maximum", maximum, rows);
  require_shape("slice_maximum", "target_logit", target_logit, rows);
  const auto packs = packing(logits);
  for_each_row(
      "vlmark::slice_maximum", exec, rows, KOKKOS_LAMBDA(const Team& team, int t) {
        const float* row = row_of(logits, t);
        const float largest = row_max(team, slice, packs, [=](auto at) { return at.load(row); });
        Kokkos::single(Kokkos::PerTeam(team), [&] {
          const int target = targets(t) - first;
          maximum(t) = largest;
          target_logit(t) = target >= 0 && target < slice ? row[target] : 0.0f;
        });
      });
}

void slice_exponentials(const Exec& exec, Mat<float> logits, Mat<const float> maxima, bool keep,
                        Vec<float> sum) {
  const int rows = logits.extent_int(0), slice = logits.extent_int(1);
  require_shape("slice_exponentials", "maxima", maxima, maxima.extent_int(0), rows);
  require_shape("slice_exponentials", "sum", sum, rows);
  const auto packs = packing(logits);
  for_each_row(
      "vlmark::slice_exponentials", exec, rows, KOKKOS_LAMBDA(const Team& team, int t) {
        float* row = row_of(logits, t);
        const float largest = largest_of(maxima, t);
        const auto exponentials = [=](auto at) {
          const auto x = at.load(row);
          return at.map([&](int j) { return exponential(x[j] - largest); });
        };
        const float total = keep ? row_sum(team, slice, packs,
                                           [=](auto at) {
                                             const auto e = exponentials(at);
                                             at.assign(row, e);
                                             return e;
                                           })
                                 : row_sum(team, slice, packs, exponentials);
        Kokkos::single(Kokkos::PerTeam(team), [&] { sum(t) = total; });
      });
}

void slice_losses(const Exec& exec, Mat<const float> maxima, Mat<const float> sums,
                  Mat<const float> target_logits, Vec<float> losses) {
  const int rows = losses.extent_int(0), ranks = maxima.extent_int(0);
  require_shape("slice_losses", "maxima", maxima, ranks, rows);
  require_shape("slice_losses", "sums", sums, ranks, rows);
  require_shape("slice_losses", "target_logits", target_logits, ranks, rows);
  for_each_element(
      "vlmark::slice_losses", exec, losses.extent(0), KOKKOS_LAMBDA(std::size_t i) {
        const int t = static_cast<int>(i);
        // In double: with a confident row the loss is the difference of nearly equal numbers.
        losses(i) = static_cast<float>(
            Kokkos::log(static_cast<double>(sum_of(sums, t))) +
            (static_cast<double>(largest_of(maxima, t)) - sum_of(target_logits, t)));
      });
}

void slice_gradient(const Exec& exec, Mat<float> exponentials, Vec<const int> targets, int first,
                    Mat<const float> sums, float scale) {
  const int rows = exponentials.extent_int(0), slice = exponentials.extent_int(1);
  require_shape("slice_gradient", "targets", targets, rows);
  require_shape("slice_gradient", "sums", sums, sums.extent_int(0), rows);
  const auto packs = packing(exponentials);
  for_each_row(
      "vlmark::slice_gradient", exec, rows, KOKKOS_LAMBDA(const Team& team, int t) {
        float* row = row_of(exponentials, t);
        const float factor = scale / sum_of(sums, t);
        for_each(team, slice, packs, [=](auto at) {
          const auto e = at.load(row);
          at.store(row, [&](int j) { return e[j] * factor; });
        });
        const int target = targets(t) - first;
        if (target < 0 || target >= slice) return;
        team.team_barrier();
        Kokkos::single(Kokkos::PerTeam(team), [&] { row[target] -= scale; });
      });
}

}  // namespace vlmark::kernels
