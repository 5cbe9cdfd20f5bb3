#include <cmath>
#include <memory>

#include "bench/data.hpp"
#include "bench/workload.hpp"
#include "kernels/convert.hpp"
#include "kernels/optimizer.hpp"
#include "kernels/reduce.hpp"
#include "kernels/reference/optimizer.hpp"

namespace vlmark::bench {
namespace {

namespace reference = kernels::reference;

constexpr int kSampled = 4096;  // elements
constexpr int kBlock = 4096;    // of square sums, as the gradient norm has it
constexpr kernels::AdamW kStep{1e-3, 0.9, 0.999, 1e-8, 0.01, 0.1, 0.001};

kernels::RoundingBits rounding() { return {Philox(1, "bench::rounding")}; }

/// One step on sampled elements by the reference, in place.
void reference_step(const std::vector<double>& gradient, std::vector<double>& p,
                    std::vector<double>& m, std::vector<double>& v) {
  reference::adamw({kStep.lr, kStep.beta1, kStep.beta2, kStep.eps, kStep.weight_decay,
                    kStep.bias_correction1, kStep.bias_correction2},
                   gradient, 1, p, m, v);
}

template <class T>
Workload adamw(const Call& c) {
  const std::vector<int> at = sample(c.n, kSampled);
  const Vec<T> gradient = uniform<T>(c.n, 1), p = uniform<T>(c.n, 2), m = uniform<T>(c.n, 3),
               v = uniform<T>(c.n, 4);
  // The second moment is a mean of squares.
  Kokkos::parallel_for(
      "bench::positive", Kokkos::RangePolicy<Exec>(0, c.n),
      KOKKOS_LAMBDA(long i) { v(i) = narrow<T>(Kokkos::fabs(widen(v(i))) + 0.1f); });
  const auto p0 = values(p, at), m0 = values(m, at), v0 = values(v, at);
  const auto run = [=] {
    if constexpr (std::is_same_v<T, float>)
      kernels::adamw(Exec{}, kStep, gradient, 1, p, m, v);
    else
      kernels::adamw_rounded(Exec{}, kStep, gradient, 1, p, m, v, rounding());
  };
  const auto error = [=] {
    auto ep = p0, em = m0, ev = v0;
    reference_step(values(gradient, at), ep, em, ev);
    // Stochastic rounding: to either neighbour, 2^-7 apart at most.
    const double relative = 2 * kRounding<T>;
    double found = worst(values(p, at), ep, relative, kSums);
    found = worse(worst(values(m, at), em, relative, kSums), found);
    return worse(worst(values(v, at), ev, relative, kSums), found);
  };
  return {run, error, [=] { spoil(p); }, ""};
}

template <class T>
Workload sum_in_place(const Call& c) {
  const std::vector<int> at = sample(c.n, kSampled);
  const Vec<T> a = uniform<T>(c.n, 1), b = uniform<T>(c.n, 2);
  auto expected = values(a, at);
  const auto added = values(b, at);
  for (std::size_t i = 0; i < expected.size(); ++i) expected[i] += added[i];
  const auto run = [=] {
    if constexpr (std::is_same_v<T, float>)
      kernels::add_in_place(Exec{}, a, b);
    else
      kernels::add_in_place(Exec{}, a, Vec<const bf16>(b), rounding());
  };
  return {run, [=] { return worst(values(a, at), expected, 2 * kRounding<T>, kSums); },
          [=] { spoil(a); }, ""};
}

Workload mean(const Call& c) {
  const Mat<float> rows = uniform<float>(c.m, c.n, 1);
  const Vec<float> result = uniform<float>(c.n, 2);
  const std::vector<int> at = sample(c.n, kSampled);
  return {[=] { kernels::mean_of_rows(Exec{}, rows, result); },
          [=] {
            std::vector<double> expected(at.size());
            for (int r = 0; r < rows.extent_int(0); ++r) {
              const auto row = block(rows, {r}, at);
              for (std::size_t i = 0; i < row.size(); ++i)
                expected[i] += row[i] / rows.extent_int(0);
            }
            return error_of<float>(values(result, at), expected);
          },
          [=] { spoil(result); }, ""};
}

Workload conversion(const Call& c) {
  const Vec<float> x = uniform<float>(c.n, 1);
  const Vec<bf16> y = uniform<bf16>(c.n, 2);
  const std::vector<int> at = sample(c.n, kSampled);
  return {[=] { kernels::convert(Exec{}, Vec<const float>(x), y); },
          [=] { return worst(values(y, at), values(x, at), kBf16, 0); }, [=] { spoil(y); }, ""};
}

void spoil_first(const Vec<double>& sums) {
  Kokkos::parallel_for(
      "bench::spoil", Kokkos::RangePolicy<Exec>(0, 1), KOKKOS_LAMBDA(int) { sums(0) += 1; });
}

template <class T>
Workload square_sums(const Call& c) {
  const Vec<T> x = uniform<T>(c.n, 1);
  const long blocks = (c.n + kBlock - 1) / kBlock;
  const Vec<double> sums("bench::sums", blocks);
  const std::vector<int> at = sample(blocks, 16);
  const long n = c.n;
  return {[=] { kernels::block_square_sums(Exec{}, x, kBlock, sums); },
          [=] {
            const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, sums);
            std::vector<double> actual, expected;
            for (const int b : at) {
              std::vector<int> elements = all(std::min<long>(kBlock, n - long{b} * kBlock));
              for (int& i : elements) i += b * kBlock;
              double sum = 0;
              for (const double value : values(x, elements)) sum += value * value;
              actual.push_back(host(b)), expected.push_back(sum);
            }
            return error_of<float>(actual, expected);
          },
          [=] { spoil_first(sums); }, ""};
}

template <class T>
Workload non_finite(const Call& c) {
  const Vec<T> x = uniform<T>(c.n, 1);
  const long n = c.n, stride = std::max(n / 5, 1L);
  Kokkos::parallel_for(
      "bench::non_finite", Kokkos::RangePolicy<Exec>(0, 5), KOKKOS_LAMBDA(long i) {
        if (i * stride < n) x(i * stride) = narrow<T>(i % 2 == 0 ? NAN : INFINITY);
      });
  const auto expected = static_cast<std::size_t>(std::min(5L, (n + stride - 1) / stride));
  const auto found = std::make_shared<std::size_t>(0);
  return {[=] { *found = kernels::count_non_finite(Exec{}, x); },
          [=] { return *found == expected ? 0.0 : 2.0; }, [=] { *found += 1; }, ""};
}

}  // namespace

template <class T>
Workload vector_workload(const Call& c) {
  if (c.kernel.starts_with("adamw")) return adamw<T>(c);
  if (c.kernel.starts_with("add_in_place")) return sum_in_place<T>(c);
  if (c.kernel == "mean_of_rows") return mean(c);
  if (c.kernel == "convert_parameters") return conversion(c);
  if (c.kernel == "block_square_sums") return square_sums<T>(c);
  return non_finite<T>(c);
}
template Workload vector_workload<float>(const Call&);
template Workload vector_workload<bf16>(const Call&);

}  // namespace vlmark::bench
