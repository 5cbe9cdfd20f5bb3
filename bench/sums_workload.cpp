#include "bench/data.hpp"
#include "bench/workload.hpp"
#include "kernels/blocks.hpp"
#include "kernels/reference/rows.hpp"
#include "kernels/rows.hpp"

namespace vlmark::bench {
namespace {

namespace reference = kernels::reference;

constexpr int kSampled = 64;  // rows

template <class T>
Workload bias_gradient(const Call& c) {
  const Mat<T> dy = uniform<T>(c.m, c.n, 1);
  const Vec<float> db = uniform<float>(c.n, 2);
  const Mat<float> workspace("bench::workspace", column_sum_workspace_rows(static_cast<int>(c.m)),
                             c.n);
  const auto before = values(db);
  return {[=] { kernels::bias_gradient(Exec{}, dy, db, workspace); },
          [=] {
            auto expected =
                reference::bias_gradient(rows_of(dy, all(dy.extent_int(0))), dy.extent_int(1));
            for (std::size_t i = 0; i < expected.size(); ++i) expected[i] += before[i];
            return error_of<float>(values(db), expected);
          },
          [=] { spoil(db); }, ""};
}

template <class T>
Workload added_bias(const Call& c) {
  const Vec<T> b = uniform<T>(c.n, 1);
  const Mat<float> stream = uniform<float>(c.m, c.n, 2);
  const std::vector<int> rows = sample(c.m, kSampled);
  const auto before = rows_of(stream, rows);
  return {[=] { kernels::add_bias(Exec{}, Vec<const T>(b), stream); },
          [=] {
            return error_of<float>(rows_of(stream, rows), reference::add_bias(values(b), before));
          },
          [=] { spoil(stream); }, ""};
}

/// Partial sums of the tensor ranks, added in their order.
template <class T>
Workload added_blocks(const Call& c, bool into_stream) {
  const long rows_each = c.m / c.tensor_ranks;
  const Mat<float> blocks = uniform<float>(c.m, c.n, 1);
  const Mat<T> y = uniform<T>(rows_each, c.n, 2);
  const std::vector<int> rows = sample(rows_each, kSampled);
  const int ranks = c.tensor_ranks;
  const auto of_rank = [=](int rank) {
    std::vector<int> there = rows;
    for (int& row : there) row += static_cast<int>(rank * rows_each);
    return rows_of(blocks, there);
  };
  std::vector<double> expected(rows.size() * static_cast<std::size_t>(c.n));
  if (into_stream) expected = rows_of(y, rows);
  for (int rank = 0; rank < ranks; ++rank) {
    const auto part = of_rank(rank);
    for (std::size_t i = 0; i < expected.size(); ++i) expected[i] += part[i];
  }
  const auto run = [=] {
    if constexpr (std::is_same_v<T, float>) {
      if (into_stream) return kernels::add_blocks(Exec{}, blocks, y);
    }
    kernels::sum_blocks(Exec{}, blocks, y);
  };
  return {run, [=] { return error_of<T>(rows_of(y, rows), expected); }, [=] { spoil(y); }, ""};
}

}  // namespace

template <class T>
Workload sums_workload(const Call& c) {
  if (c.kernel == "bias_backward") return bias_gradient<T>(c);
  if (c.kernel == "add_bias") return added_bias<T>(c);
  if (c.kernel == "add_blocks") return added_blocks<float>(c, true);
  return added_blocks<T>(c, false);
}
template Workload sums_workload<float>(const Call&);
template Workload sums_workload<bf16>(const Call&);

}  // namespace vlmark::bench
