#include <algorithm>

#include "bench/data.hpp"
#include "bench/workload.hpp"
#include "kernels/embedding.hpp"
#include "kernels/reference/embedding.hpp"
#include "src/base/philox.hpp"

namespace vlmark::bench {
namespace {

namespace reference = kernels::reference;

/// Random words, every fourth one the same; where `masked` every fifth sends no gradient, as vision
/// tokens do.
std::vector<int> words(long tokens, long vocab, bool masked) {
  const Philox random(1, "bench::words");
  std::vector<int> ids;
  for (long t = 0; t < tokens; ++t) {
    const auto word =
        random.below(static_cast<std::uint64_t>(t), static_cast<std::uint64_t>(vocab));
    ids.push_back(masked && t % 5 == 4 ? -1 : t % 4 == 0 ? 0 : static_cast<int>(word));
  }
  return ids;
}

/// The words that occur, and each token's place among them (-1: masked).
struct Used {
  std::vector<int> words, places;
  explicit Used(const std::vector<int>& ids) : words(ids) {
    std::sort(words.begin(), words.end());
    words.erase(std::unique(words.begin(), words.end()), words.end());
    if (!words.empty() && words.front() < 0) words.erase(words.begin());
    for (const int id : ids)
      places.push_back(id < 0 ? -1
                              : static_cast<int>(std::lower_bound(words.begin(), words.end(), id) -
                                                 words.begin()));
  }
};

Workload scatter(const Call& c) {
  const int hidden = static_cast<int>(c.n);
  const std::vector<int> ids = words(c.m, c.table_rows, true);
  const Used used(ids);
  // Streams, and so their gradients, are fp32 whatever the tensors' type.
  const Mat<float> dy = uniform<float>(c.m, c.n, 1), table = uniform<float>(c.table_rows, c.n, 2);
  const Vec<const int> on_device = to_kernels(ids), order = to_kernels(kernels::sorted_order(ids));
  const auto before = rows_of(table, used.words);
  return {[=] {
            kernels::embedding_scatter_add(Exec{}, Mat<const float>(dy), order, on_device, table);
          },
          [=] {
            auto expected =
                reference::embedding_scatter_add(rows_of(dy, all(dy.extent_int(0))), used.places,
                                                 static_cast<int>(used.words.size()), hidden);
            for (std::size_t i = 0; i < expected.size(); ++i) expected[i] += before[i];
            return error_of<float>(rows_of(table, used.words), expected);
          },
          [=] { spoil(table); }, ""};
}

}  // namespace

template <class T>
Workload embedding_workload(const Call& c) {
  if (c.kernel == "embedding_backward") return scatter(c);
  const std::vector<int> ids = words(c.m, c.table_rows, false);
  const Used used(ids);
  const int hidden = static_cast<int>(c.n);
  const Mat<T> table = uniform<T>(c.table_rows, c.n, 1), y = uniform<T>(c.m, c.n, 2);
  const Vec<const int> on_device = to_kernels(ids);
  return {[=] { kernels::embedding_gather(Exec{}, on_device, table, y); },
          [=] {
            return error_of<T>(
                rows_of(y, all(y.extent_int(0))),
                reference::embedding_gather(used.places, rows_of(table, used.words), hidden));
          },
          [=] { spoil(y); }, ""};
}
template Workload embedding_workload<float>(const Call&);
template Workload embedding_workload<bf16>(const Call&);

}  // namespace vlmark::bench
