#include "kernels/cross_entropy.hpp"

#include <cmath>

#include "kernels/indices.hpp"
#include "kernels/math.hpp"
#include "kernels/shape.hpp"
#include "kernels/team.hpp"
#include "src/base/contracts.hpp"

namespace vlmark::kernels {

void softmax_cross_entropy(const Exec& exec, Mat<float> logits, Vec<const int> targets, float scale,
                           Vec<float> losses, bool want_gradient) {
  const int rows = logits.extent_int(0), vocab = logits.extent_int(1);
  require_shape("softmax_cross_entropy", "targets", targets, rows);
  require_shape("softmax_cross_entropy", "losses", losses, rows);
  if (!std::isfinite(scale))
    throw ValueError("softmax_cross_entropy: argument 'scale' is " + std::to_string(scale) +
                     " (expected a finite number: every gradient is multiplied by it). "
                     "Pass 1 / supervised tokens");
  expects(all_below(exec, targets, vocab));
  const auto packs = packing(logits);
  for_each_row(
      "vlmark::softmax_cross_entropy", exec, rows, KOKKOS_LAMBDA(const Team& team, int t) {
        const int target = targets(t);
        float* row = row_of(logits, t);
        const float target_logit = row[target];
        const float largest = row_max(team, vocab, packs, [=](auto at) { return at.load(row); });
        const auto exponentials = [=](auto at) {
          const auto x = at.load(row);
          return at.map([&](int j) { return exponential(x[j] - largest); });
        };
        // Exponentials are kept in place of the logits where the second pass needs them.
        const float sum = want_gradient ? row_sum(team, vocab, packs,
                                                  [=](auto at) {
                                                    const auto e = exponentials(at);
                                                    at.assign(row, e);
                                                    return e;
                                                  })
                                        : row_sum(team, vocab, packs, exponentials);
        Kokkos::single(Kokkos::PerTeam(team), [&] {
          // In double: with a confident row the loss is the difference of nearly equal numbers.
          losses(t) = static_cast<float>(Kokkos::log(static_cast<double>(sum)) +
                                         (static_cast<double>(largest) - target_logit));
        });
        if (!want_gradient) return;
        const float factor = scale / sum;
        for_each(team, vocab, packs, [=](auto at) {
          const auto e = at.load(row);
          at.store(row, [&](int j) { return e[j] * factor; });
        });
        team.team_barrier();
        Kokkos::single(Kokkos::PerTeam(team), [&] { row[target] -= scale; });
      });
}

}  // namespace vlmark::kernels
