#include "kernels/reduce.hpp"

#include "kernels/shape.hpp"
#include "kernels/team.hpp"

namespace vlmark::kernels {
namespace {

template <class T>
std::size_t count_impl(const Exec& exec, Vec<const T> x) {
  std::size_t count = 0;
  Kokkos::parallel_reduce(
      "vlmark::count_non_finite", Kokkos::RangePolicy<Exec>(exec, 0, x.extent(0)),
      KOKKOS_LAMBDA(std::size_t i, std::size_t & sum) {
        constexpr std::uint32_t exponent = 0x7f800000u;  // all ones: infinite or NaN
        sum += (std::bit_cast<std::uint32_t>(widen(x(i))) & exponent) == exponent ? 1u : 0u;
      },
      count);
  return count;
}

template <class T>
void block_square_sums_impl(const Exec& exec, Vec<const T> x, int block, Vec<double> sums) {
  if (block <= 0)
    throw ValueError("block_square_sums: argument 'block' is " + std::to_string(block) +
                     " (expected a number of elements above 0). Pass FlatLayout::block");
  const std::size_t n = x.extent(0), size = static_cast<std::size_t>(block);
  const auto blocks = static_cast<long>((n + size - 1) / size);
  require_shape("block_square_sums", "sums", sums, blocks);
  const auto packs = packing(x).only_if(size % 8 == 0);
  for_each_row(
      "vlmark::block_square_sums", exec, static_cast<int>(blocks),
      KOKKOS_LAMBDA(const Team& team, int b) {
        const std::size_t begin = static_cast<std::size_t>(b) * size;
        const auto count = static_cast<int>(n - begin < size ? n - begin : size);
        const T* in = x.data() + begin;
        const double sum = row_sum<double>(team, count, packs, [=](auto at) {
          const auto a = at.load(in);
          return at.map([&](int j) { return static_cast<double>(a[j]) * a[j]; });
        });
        Kokkos::single(Kokkos::PerTeam(team), [&] { sums(b) = sum; });
      });
}

template <class T>
void add_rounded(const Exec& exec, Vec<bf16> a, Vec<const T> b, const RoundingBits& random) {
  require_shape("add_in_place", "b", b, static_cast<long>(a.extent(0)));
  for_each_chunk(
      "vlmark::add_rounded", exec, a.extent(0),
      KOKKOS_LAMBDA(const Team& team, std::size_t begin, int count) {
        random.for_each_row(begin, count, [&](int from, int length, std::uint64_t counter) {
          const std::size_t at = begin + static_cast<std::size_t>(from);
          bf16* sums = a.data() + at;
          const T* in = b.data() + at;
          for_each(team, length, [=](int i) {
            const auto bits = random.random.block(counter + static_cast<std::uint64_t>(i));
            sums[i].bits = round_stochastic(widen(sums[i]) + widen(in[i]), bits[0] & 0xffffu).bits;
          });
        });
      });
}

}  // namespace

void block_square_sums(const Exec& exec, Vec<const float> x, int block, Vec<double> sums) {
  block_square_sums_impl(exec, x, block, sums);
}
void block_square_sums(const Exec& exec, Vec<const bf16> x, int block, Vec<double> sums) {
  block_square_sums_impl(exec, x, block, sums);
}

void add_in_place(const Exec& exec, Vec<float> a, Vec<const float> b) {
  require_shape("add_in_place", "b", b, static_cast<long>(a.extent(0)));
  const auto packs = packing(a, b);
  for_each_chunk(
      "vlmark::add_in_place", exec, a.extent(0),
      KOKKOS_LAMBDA(const Team& team, std::size_t begin, int count) {
        float* sums = a.data() + begin;
        const float* in = b.data() + begin;
        for_each(team, count, packs, [=](auto at) {
          const auto sum = at.load(sums), x = at.load(in);
          at.store(sums, [&](int j) { return sum[j] + x[j]; });
        });
      });
}

void add_in_place(const Exec& exec, Vec<bf16> a, Vec<const bf16> b, const RoundingBits& random) {
  add_rounded(exec, a, b, random);
}
void add_in_place(const Exec& exec, Vec<bf16> a, Vec<const float> b, const RoundingBits& random) {
  add_rounded(exec, a, b, random);
}

void mean_of_rows(const Exec& exec, Mat<const float> rows, Vec<float> mean) {
  require_shape("mean_of_rows", "mean", mean, static_cast<long>(rows.extent(1)));
  const auto count = static_cast<int>(rows.extent(0));
  for_each_chunk(
      "vlmark::mean_of_rows", exec, mean.extent(0),
      KOKKOS_LAMBDA(const Team& team, std::size_t begin, int length) {
        for_each(team, length, [=](int i) {
          const std::size_t at = begin + static_cast<std::size_t>(i);
          const float first = rows(0, at);
          float sum = 0;
          for (int r = 1; r < count; ++r) sum += rows(r, at) - first;
          mean(at) = first + sum / static_cast<float>(count);
        });
      });
}

std::size_t count_non_finite(const Exec& exec, Vec<const float> x) {
  return count_impl<float>(exec, x);
}
std::size_t count_non_finite(const Exec& exec, Vec<const bf16> x) {
  return count_impl<bf16>(exec, x);
}

}  // namespace vlmark::kernels
