#include <algorithm>

#include "bench/data.hpp"
#include "bench/workload.hpp"
#include "kernels/convert.hpp"
#include "kernels/fill.hpp"
#include "kernels/reference/rows.hpp"
#include "kernels/rows.hpp"

namespace vlmark::bench {
namespace {

namespace reference = kernels::reference;

constexpr int kSampled = 64;  // rows

/// A stream in fp32 that becomes a tensor of type T.
template <class T>
Workload conversion(const Call& c) {
  const Mat<float> x = uniform<float>(c.m, c.n, 1);
  const Mat<T> y = uniform<T>(c.m, c.n, 2);
  const std::vector<int> rows = sample(c.m, kSampled);
  return {[=] { kernels::convert(Exec{}, Mat<const float>(x), y); },
          [=] { return worst(rows_of(y, rows), rows_of(x, rows), kRounding<T>, 0); },
          [=] { spoil(y); }, ""};
}

/// Rows that are moved or cleared: every other one of a matrix twice as long.
template <class T>
Workload moved(const Call& c) {
  const int columns = static_cast<int>(c.n);
  const Mat<T> longer = uniform<T>(2 * c.m, c.n, 1), shorter = uniform<T>(c.m, c.n, 2);
  std::vector<int> every_other = all(c.m);
  for (int& row : every_other) row *= 2;
  const Vec<const int> indices = to_kernels(every_other);
  const std::vector<int> rows = sample(c.m, kSampled), of_longer = sample(2 * c.m, 2 * kSampled);
  if (c.kernel == "gather_rows")
    return {[=] { kernels::gather_rows(Exec{}, longer, indices, shorter); },
            [=] {
              // The longer matrix has only the sampled rows here.
              std::vector<int> source = rows;
              for (int& row : source) row *= 2;
              return error_of<T>(
                  rows_of(shorter, rows),
                  reference::gather_rows(rows_of(longer, source),
                                         all(static_cast<long>(rows.size())), columns));
            },
            [=] { spoil(shorter); }, ""};
  const bool zero = c.kernel == "zero_rows";
  const auto before = rows_of(longer, of_longer);
  const auto run = [=] {
    if (zero)
      kernels::zero_rows(Exec{}, longer, indices);
    else
      kernels::scatter_rows(Exec{}, shorter, indices, longer);
  };
  const auto error = [=] {
    std::vector<int> source, destination;
    for (std::size_t i = 0; i < of_longer.size(); ++i)
      if (of_longer[i] % 2 == 0)
        source.push_back(of_longer[i] / 2), destination.push_back(static_cast<int>(i));
    auto rows_there = rows_of(shorter, source);
    if (zero) std::fill(rows_there.begin(), rows_there.end(), 0.0);
    return error_of<T>(rows_of(longer, of_longer),
                       reference::scatter_rows(rows_there, destination, before, columns));
  };
  return {run, error, [=] { spoil(longer); }, ""};
}

template <class T>
Workload cleared(const Call& c) {
  const Mat<T> x = uniform<T>(c.m, c.n, 1);
  const std::vector<int> rows = sample(c.m, kSampled);
  return {[=] { kernels::fill(Exec{}, 0.0f, x); },
          [=] {
            const auto actual = rows_of(x, rows);
            return worst(actual, std::vector<double>(actual.size()), 0, kSums);
          },
          [=] { spoil(x); }, ""};
}

}  // namespace

template <class T>
Workload rows_workload(const Call& c) {
  if (c.kernel == "convert") return c.result == c.type ? conversion<T>(c) : conversion<float>(c);
  const bool stream = c.result == DType::f32;
  if (c.kernel == "zero") return stream ? cleared<float>(c) : cleared<T>(c);
  return stream ? moved<float>(c) : moved<T>(c);
}
template Workload rows_workload<float>(const Call&);
template Workload rows_workload<bf16>(const Call&);

}  // namespace vlmark::bench
