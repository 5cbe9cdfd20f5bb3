#include "kernels/reference/norm.hpp"

#include <cmath>

namespace vlmark::kernels::reference {
namespace {

struct Moments {
  double mean, rstd;
};

Moments moments(Input row, double eps) {
  double mean = 0, variance = 0;
  for (const double value : row) mean += value / static_cast<double>(row.size());
  for (const double value : row)
    variance += (value - mean) * (value - mean) / static_cast<double>(row.size());
  return {mean, 1 / std::sqrt(variance + eps)};
}

double reciprocal_rms(Input row, double eps) {
  double sum = 0;
  for (const double value : row) sum += value * value;
  return 1 / std::sqrt(sum / static_cast<double>(row.size()) + eps);
}

}  // namespace

Values rms_norm(Input x, Input w, int hidden, double eps) {
  Values y(x.size());
  for (std::size_t begin = 0; begin < x.size(); begin += hidden) {
    const double r = reciprocal_rms(x.subspan(begin, hidden), eps);
    for (int h = 0; h < hidden; ++h) y[begin + h] = w[h] * x[begin + h] * r;
  }
  return y;
}

RmsNormGradients rms_norm_backward(Input dy, Input x, Input w, int hidden, double eps) {
  RmsNormGradients out{Values(x.size()), Values(hidden)};
  for (std::size_t begin = 0; begin < x.size(); begin += hidden) {
    const double r = reciprocal_rms(x.subspan(begin, hidden), eps);
    double mean = 0;
    for (int h = 0; h < hidden; ++h) mean += w[h] * dy[begin + h] * x[begin + h] * r / hidden;
    for (int h = 0; h < hidden; ++h) {
      const double n = x[begin + h] * r;
      out.dx[begin + h] = r * (w[h] * dy[begin + h] - n * mean);
      out.dw[h] += dy[begin + h] * n;
    }
  }
  return out;
}

Values layer_norm(Input x, Input w, Input b, int hidden, double eps) {
  Values y(x.size());
  for (std::size_t begin = 0; begin < x.size(); begin += hidden) {
    const auto [mean, rstd] = moments(x.subspan(begin, hidden), eps);
    for (int h = 0; h < hidden; ++h) y[begin + h] = w[h] * (x[begin + h] - mean) * rstd + b[h];
  }
  return y;
}

LayerNormGradients layer_norm_backward(Input dy, Input x, Input w, int hidden, double eps) {
  LayerNormGradients out{Values(x.size()), Values(hidden), Values(hidden)};
  for (std::size_t begin = 0; begin < x.size(); begin += hidden) {
    const auto [mean, rstd] = moments(x.subspan(begin, hidden), eps);
    double mean_g = 0, mean_gn = 0;
    for (int h = 0; h < hidden; ++h) {
      mean_g += w[h] * dy[begin + h] / hidden;
      mean_gn += w[h] * dy[begin + h] * (x[begin + h] - mean) * rstd / hidden;
    }
    for (int h = 0; h < hidden; ++h) {
      const double n = (x[begin + h] - mean) * rstd;
      out.dx[begin + h] = rstd * (w[h] * dy[begin + h] - mean_g - n * mean_gn);
      out.dw[h] += dy[begin + h] * n;
      out.db[h] += dy[begin + h];
    }
  }
  return out;
}

}  // namespace vlmark::kernels::reference
