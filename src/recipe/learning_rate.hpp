#pragma once

namespace vlmark::recipe {

/// Learning rate over the steps of a run.
struct LearningRate {
  double peak = 1e-3, last = 1e-5;
  int warmup_steps = 0, steps = 1;
  bool cosine = true;  ///< false: stays at `peak` after the warm-up

  /// Of step 0, 1, ...:
  ///
  ///     peak (step + 1) / warmup_steps                                    step < warmup_steps
  ///     last + (peak - last) (1 + cos(pi p)) / 2,
  ///         p = (step - warmup_steps) / (steps - 1 - warmup_steps)       after it, ending at
  ///         `last`
  ///
  /// Source: Loshchilov & Hutter, arXiv:1608.03983, eq. 5, one cycle.
  double at(int step) const;
};

}  // namespace vlmark::recipe
