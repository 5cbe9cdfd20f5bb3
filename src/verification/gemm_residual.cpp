#include "src/verification/gemm_residual.hpp"

#include <algorithm>
#include <cmath>

namespace vlmark::verification {
namespace {

constexpr int kTileRows = 32, kSamples = 16;
constexpr double kQuiet = 0x1p-10;

double unit(DType type) { return type == DType::bf16 ? 0x1p-8 : 0x1p-24; }

/// Sums of squares over some rows.
struct Squares {
  double product = 0, error = 0, result = 0;
  Squares& operator+=(const Squares& other) {
    product += other.product;
    error += other.error;
    result += other.result;
    return *this;
  }
};

}  // namespace

double gemm_limit(DType result) { return result == DType::bf16 ? 0x1p-8 : 0x1p-14; }

GemmProbe::GemmProbe(const kernels::GemmCall& call, const Philox& random, bool staged)
    : random_(random),
      staged_(staged),
      adds_(call.beta != 0 || call.bias),
      m_(call.shape.m),
      n_(call.shape.n),
      passes_(std::max(1, (kSamples / kVectors + m_ - 1) / m_)) {
  if (!adds_) return;
  call.exec.fence("vlmark::verification");
  for (int pass = 0; pass < passes_; ++pass) {
    const Vectors x = random_signs(pass);
    Vectors& before = before_.emplace_back(static_cast<std::size_t>(m_));
    if (call.beta != 0) before = apply(reader(call, 'c'), false, x);
    if (!call.bias) continue;
    const MatrixReader bias(call.exec, {call.bias, n_}, call.shape.c, 1, n_, staged_);
    const Vectors shared = apply(bias, false, x);
    for (auto& row : before)
      for (std::size_t v = 0; v < kVectors; ++v) row[v] += shared[0][v];
  }
}

GemmProbe::Vectors GemmProbe::random_signs(int pass) const {
  Vectors x(static_cast<std::size_t>(n_));
  const auto first = static_cast<std::uint64_t>(pass) * static_cast<std::uint64_t>(n_);
  for (std::size_t j = 0; j < x.size(); ++j) {
    const auto bits = random_.block(first + j);
    for (std::size_t v = 0; v < kVectors; ++v) x[j][v] = (bits[v] & 1u) != 0 ? 1 : -1;
  }
  return x;
}

MatrixReader GemmProbe::reader(const kernels::GemmCall& call, char operand) const {
  const auto& s = call.shape;
  const bool ta = s.ta == kernels::Trans::yes, tb = s.tb == kernels::Trans::yes;
  switch (operand) {
    case 'a':
      return {call.exec, call.a, s.a, ta ? s.k : s.m, ta ? s.m : s.k, staged_};
    case 'b':
      return {call.exec, call.b, s.b, tb ? s.n : s.k, tb ? s.k : s.n, staged_};
    default:
      return {call.exec, call.c, s.c, s.m, s.n, staged_};
  }
}

GemmProbe::Vectors GemmProbe::apply(MatrixReader matrix, bool transposed, const Vectors& x) {
  const auto columns = static_cast<std::size_t>(matrix.columns());
  Vectors y(transposed ? columns : static_cast<std::size_t>(matrix.rows()));
  std::vector<double> row(columns);
  for (std::size_t i = 0; i < static_cast<std::size_t>(matrix.rows()); ++i) {
    matrix.read(static_cast<long>(i), row);
    if (transposed) {
      for (std::size_t j = 0; j < columns; ++j)
        for (std::size_t v = 0; v < kVectors; ++v) y[j][v] += row[j] * x[i][v];
    } else {
      std::array<double, kVectors> sum{};
      for (std::size_t j = 0; j < columns; ++j)
        for (std::size_t v = 0; v < kVectors; ++v) sum[v] += row[j] * x[j][v];
      y[i] = sum;
    }
  }
  return y;
}

GemmResidual GemmProbe::judge(const kernels::GemmCall& call) const {
  call.exec.fence("vlmark::verification");
  std::vector<Squares> tiles(static_cast<std::size_t>((m_ + kTileRows - 1) / kTileRows));
  const auto tile_of = [&tiles](int i) -> Squares& {
    return tiles[static_cast<std::size_t>(i / kTileRows)];
  };
  for (int pass = 0; pass < passes_; ++pass) {
    const Vectors x = random_signs(pass);
    const bool ta = call.shape.ta == kernels::Trans::yes, tb = call.shape.tb == kernels::Trans::yes;
    const Vectors product = apply(reader(call, 'a'), ta, apply(reader(call, 'b'), tb, x));
    const Vectors result = apply(reader(call, 'c'), false, x);
    for (int i = 0; i < m_; ++i) {
      const auto row = static_cast<std::size_t>(i);
      Squares& sums = tile_of(i);
      for (std::size_t v = 0; v < kVectors; ++v) {
        const double before = adds_ ? before_[static_cast<std::size_t>(pass)][row][v] : 0;
        const double error = result[row][v] - product[row][v] - before;
        sums.product += product[row][v] * product[row][v];
        sums.error += error * error;
      }
    }
  }
  MatrixReader c = reader(call, 'c');
  std::vector<double> row(static_cast<std::size_t>(n_));
  for (int i = 0; i < m_; ++i) {
    c.read(i, row);
    for (const double value : row) tile_of(i).result += passes_ * kVectors * value * value;
  }

  const double carried = unit(call.shape.c) / gemm_limit(call.shape.c);
  const auto size = [&](const Squares& s) {
    return adds_ ? std::sqrt(s.product) + carried * std::sqrt(s.result)
                 : std::sqrt(std::max(s.product, s.result));
  };
  const auto ratio = [](double error, double of) {
    return error == 0 ? 0 : error / of;  // NaN and infinite stay
  };
  Squares all;
  for (const Squares& tile : tiles) all += tile;
  GemmResidual residual;
  residual.whole = ratio(std::sqrt(all.error), size(all));
  for (std::size_t t = 0; t < tiles.size(); ++t) {
    const int rows = std::min(kTileRows, m_ - static_cast<int>(t) * kTileRows);
    const double quiet = kQuiet * size(all) * std::sqrt(static_cast<double>(rows) / m_);
    const double rho = ratio(std::sqrt(tiles[t].error), std::max(size(tiles[t]), quiet));
    if (!(rho <= residual.worst_rows)) residual.worst_rows = rho;
  }
  return residual;
}

}  // namespace vlmark::verification
