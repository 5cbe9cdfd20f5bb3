#include "kernels/norm.hpp"

#include "kernels/column_sums.hpp"
#include "kernels/shape.hpp"
#include "kernels/team.hpp"

namespace vlmark::kernels {
namespace {

void require_eps(const char* where, float eps) {
  if (eps > 0 && eps < Kokkos::Experimental::infinity_v<float>) return;
  throw ValueError(std::string(where) + ": argument 'eps' is " + std::to_string(eps) +
                   " (expected a finite number above 0: a row of zeros would divide by zero). Take "
                   "it from the model's "
                   "configuration");
}

/// Summands of the gain's gradient: dy[t,h] (x[t,h] - mean[t]) scale[t]; without means for RMS norm.
template <class T, bool centred>
struct GainTerms {
  Mat<const T> dy, x;
  Vec<const float> mean, scale;
  template <int width>
  KOKKOS_INLINE_FUNCTION Values<float, width> operator()(int t, Pack<width> at) const {
    const auto g = at.load(row_of(dy, t)), a = at.load(row_of(x, t));
    const float s = scale(t);
    if constexpr (centred) {
      const float m = mean(t);
      return at.map([&](int j) { return g[j] * ((a[j] - m) * s); });
    } else {
      return at.map([&](int j) { return g[j] * (a[j] * s); });
    }
  }
};

template <class T>
void rms_norm_impl(const Exec& exec, Mat<const T> x, Vec<const T> w, float eps, Mat<T> y,
                   Vec<float> r) {
  const int tokens = x.extent_int(0), hidden = x.extent_int(1);
  require_shape("rms_norm", "w", w, hidden);
  require_shape("rms_norm", "y", y, tokens, hidden);
  require_shape("rms_norm", "r", r, tokens);
  require_eps("rms_norm", eps);
  const auto packs = packing(x, w, y);
  for_each_row(
      "vlmark::rms_norm", exec, tokens, KOKKOS_LAMBDA(const Team& team, int t) {
        const T *in = row_of(x, t), *gains = w.data();
        T* out = row_of(y, t);
        const float sum = row_sum(team, hidden, packs, [=](auto at) {
          const auto a = at.load(in);
          return at.map([&](int j) { return a[j] * a[j]; });
        });
        const float scale = 1 / Kokkos::sqrt(sum / hidden + eps);
        Kokkos::single(Kokkos::PerTeam(team), [&] { r(t) = scale; });
        for_each(team, hidden, packs, [=](auto at) {
          const auto a = at.load(in), gain = at.load(gains);
          at.store(out, [&](int j) { return gain[j] * (a[j] * scale); });
        });
      });
}

template <class T>
void rms_norm_backward_impl(const Exec& exec, Mat<const T> dy, Mat<const T> x, Vec<const T> w,
                            Vec<const float> r, Mat<float> d_stream, Vec<float> dw,
                            Mat<float> workspace) {
  const int tokens = x.extent_int(0), hidden = x.extent_int(1);
  const auto* where = "rms_norm_backward";
  require_shape(where, "dy", dy, tokens, hidden);
  require_shape(where, "w", w, hidden);
  require_shape(where, "r", r, tokens);
  require_shape(where, "d_stream", d_stream, tokens, hidden);
  if (dw.extent(0) != 0) {
    require_shape(where, "dw", dw, hidden);
    require_workspace(where, workspace, norm_workspace_rows(tokens), hidden);
    column_sums("vlmark::rms_norm_backward_w", exec, tokens, workspace, dw,
                GainTerms<T, false>{dy, x, {}, r}, packing(dy, x));
  }
  const auto packs = packing(dy, x, w, d_stream);
  for_each_row(
      "vlmark::rms_norm_backward_x", exec, tokens, KOKKOS_LAMBDA(const Team& team, int t) {
        const T *in_y = row_of(dy, t), *in_x = row_of(x, t), *gains = w.data();
        float* out = row_of(d_stream, t);
        const float scale = r(t);
        const float sum = row_sum(team, hidden, packs, [=](auto at) {
          const auto gain = at.load(gains), g = at.load(in_y), a = at.load(in_x);
          return at.map([&](int j) { return gain[j] * g[j] * (a[j] * scale); });
        });
        const float mean = sum / hidden;
        for_each(team, hidden, packs, [=](auto at) {
          const auto gain = at.load(gains), dys = at.load(in_y), a = at.load(in_x),
                     d = at.load(out);
          at.store(out, [&](int j) {
            const float g = gain[j] * dys[j], n = a[j] * scale;
            return d[j] + scale * (g - n * mean);
          });
        });
      });
}

template <class T>
void layer_norm_impl(const Exec& exec, Mat<const T> x, Vec<const T> w, Vec<const T> b, float eps,
                     Mat<T> y, Vec<float> mean, Vec<float> rstd) {
  const int tokens = x.extent_int(0), hidden = x.extent_int(1);
  require_shape("layer_norm", "w", w, hidden);
  require_shape("layer_norm", "b", b, hidden);
  require_shape("layer_norm", "y", y, tokens, hidden);
  require_shape("layer_norm", "mean", mean, tokens);
  require_shape("layer_norm", "rstd", rstd, tokens);
  require_eps("layer_norm", eps);
  const auto packs = packing(x, w, b, y);
  for_each_row(
      "vlmark::layer_norm", exec, tokens, KOKKOS_LAMBDA(const Team& team, int t) {
        const T *in = row_of(x, t), *gains = w.data(), *biases = b.data();
        T* out = row_of(y, t);
        const float m = row_sum(team, hidden, packs, [=](auto at) { return at.load(in); }) / hidden;
        const float squares = row_sum(team, hidden, packs, [=](auto at) {
          const auto a = at.load(in);
          return at.map([&](int j) { return (a[j] - m) * (a[j] - m); });
        });
        const float variance = squares / hidden;
        const float scale = 1 / Kokkos::sqrt(variance + eps);
        Kokkos::single(Kokkos::PerTeam(team), [&] {
          mean(t) = m;
          rstd(t) = scale;
        });
        for_each(team, hidden, packs, [=](auto at) {
          const auto a = at.load(in), gain = at.load(gains), bias = at.load(biases);
          at.store(out, [&](int j) { return gain[j] * ((a[j] - m) * scale) + bias[j]; });
        });
      });
}

template <class T>
void layer_norm_backward_impl(const Exec& exec, Mat<const T> dy, Mat<const T> x, Vec<const T> w,
                              Vec<const float> mean, Vec<const float> rstd, Mat<float> d_stream,
                              Vec<float> dw, Vec<float> db, Mat<float> workspace) {
  const int tokens = x.extent_int(0), hidden = x.extent_int(1);
  const auto* where = "layer_norm_backward";
  require_shape(where, "dy", dy, tokens, hidden);
  require_shape(where, "w", w, hidden);
  require_shape(where, "mean", mean, tokens);
  require_shape(where, "rstd", rstd, tokens);
  require_shape(where, "d_stream", d_stream, tokens, hidden);
  if (dw.extent(0) != 0) require_shape(where, "dw", dw, hidden);
  if (db.extent(0) != 0) require_shape(where, "db", db, hidden);
  if (dw.extent(0) + db.extent(0) != 0) {
    const int blocks = column_sum_workspace_rows(tokens);
    require_workspace(where, workspace, layer_norm_workspace_rows(tokens), hidden);
    const auto part = [&](int i) -> Mat<float> {
      return Kokkos::subview(workspace, Kokkos::pair<int, int>(i * blocks, (i + 1) * blocks),
                             Kokkos::ALL);
    };
    column_sums("vlmark::layer_norm_backward_w", exec, tokens, part(0), dw,
                GainTerms<T, true>{dy, x, mean, rstd}, packing(dy, x));
    column_sums("vlmark::layer_norm_backward_b", exec, tokens, part(1), db, ValuesOfRow<T>{dy},
                packing(dy));
  }
  const auto packs = packing(dy, x, w, d_stream);
  for_each_row(
      "vlmark::layer_norm_backward_x", exec, tokens, KOKKOS_LAMBDA(const Team& team, int t) {
        const T *in_y = row_of(dy, t), *in_x = row_of(x, t), *gains = w.data();
        float* out = row_of(d_stream, t);
        const float m = mean(t), scale = rstd(t);
        const float sum_g = row_sum(team, hidden, packs, [=](auto at) {
          const auto gain = at.load(gains), g = at.load(in_y);
          return at.map([&](int j) { return gain[j] * g[j]; });
        });
        const float sum_gn = row_sum(team, hidden, packs, [=](auto at) {
          const auto gain = at.load(gains), g = at.load(in_y), a = at.load(in_x);
          return at.map([&](int j) { return gain[j] * g[j] * ((a[j] - m) * scale); });
        });
        const float mean_g = sum_g / hidden, mean_gn = sum_gn / hidden;
        for_each(team, hidden, packs, [=](auto at) {
          const auto gain = at.load(gains), dys = at.load(in_y), a = at.load(in_x),
                     d = at.load(out);
          at.store(out, [&](int j) {
            const float g = gain[j] * dys[j], n = (a[j] - m) * scale;
            return d[j] + scale * (g - mean_g - n * mean_gn);
          });
        });
      });
}

}  // namespace

void rms_norm(const Exec& exec, Mat<const float> x, Vec<const float> w, float eps, Mat<float> y,
              Vec<float> r) {
  rms_norm_impl<float>(exec, x, w, eps, y, r);
}
void rms_norm(const Exec& exec, Mat<const bf16> x, Vec<const bf16> w, float eps, Mat<bf16> y,
              Vec<float> r) {
  rms_norm_impl<bf16>(exec, x, w, eps, y, r);
}

void rms_norm_backward(const Exec& exec, Mat<const float> dy, Mat<const float> x,
                       Vec<const float> w, Vec<const float> r, Mat<float> d_stream, Vec<float> dw,
                       Mat<float> workspace) {
  rms_norm_backward_impl<float>(exec, dy, x, w, r, d_stream, dw, workspace);
}

void rms_norm_backward(const Exec& exec, Mat<const bf16> dy, Mat<const bf16> x, Vec<const bf16> w,
                       Vec<const float> r, Mat<float> d_stream, Vec<float> dw,
                       Mat<float> workspace) {
  rms_norm_backward_impl<bf16>(exec, dy, x, w, r, d_stream, dw, workspace);
}

void layer_norm(const Exec& exec, Mat<const float> x, Vec<const float> w, Vec<const float> b,
                float eps, Mat<float> y, Vec<float> mean, Vec<float> rstd) {
  layer_norm_impl<float>(exec, x, w, b, eps, y, mean, rstd);
}
void layer_norm(const Exec& exec, Mat<const bf16> x, Vec<const bf16> w, Vec<const bf16> b,
                float eps, Mat<bf16> y, Vec<float> mean, Vec<float> rstd) {
  layer_norm_impl<bf16>(exec, x, w, b, eps, y, mean, rstd);
}

void layer_norm_backward(const Exec& exec, Mat<const float> dy, Mat<const float> x,
                         Vec<const float> w, Vec<const float> mean, Vec<const float> rstd,
                         Mat<float> d_stream, Vec<float> dw, Vec<float> db, Mat<float> workspace) {
  layer_norm_backward_impl<float>(exec, dy, x, w, mean, rstd, d_stream, dw, db, workspace);
}

void layer_norm_backward(const Exec& exec, Mat<const bf16> dy, Mat<const bf16> x, Vec<const bf16> w,
                         Vec<const float> mean, Vec<const float> rstd, Mat<float> d_stream,
                         Vec<float> dw, Vec<float> db, Mat<float> workspace) {
  layer_norm_backward_impl<bf16>(exec, dy, x, w, mean, rstd, d_stream, dw, db, workspace);
}

}  // namespace vlmark::kernels
