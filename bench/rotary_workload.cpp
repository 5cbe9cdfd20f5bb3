#include <array>

#include "bench/data.hpp"
#include "bench/workload.hpp"
#include "kernels/reference/rotary.hpp"
#include "kernels/rotary.hpp"

namespace vlmark::bench {
namespace {

namespace reference = kernels::reference;

constexpr int kSampled = 64;  // rows
constexpr float kTheta = 1e6f;

/// Time, height and width share the frequencies as in Qwen2-VL, or by thirds in other widths.
std::array<int, 3> section_of(int head_dim) {
  const int half = head_dim / 2;
  if (half == 64) return {16, 24, 24};
  return {half - 2 * (half / 3), half / 3, half / 3};
}

/// [axes * rows]: rising positions on every axis.
std::vector<int> positions(long rows, int axes) {
  std::vector<int> p;
  for (int axis = 0; axis < axes; ++axis)
    for (long t = 0; t < rows; ++t) p.push_back(static_cast<int>(t / (axis + 1)));
  return p;
}

std::vector<int> of_rows(const std::vector<int>& positions, const std::vector<int>& rows,
                         int axes) {
  std::vector<int> p;
  const std::size_t length = positions.size() / static_cast<std::size_t>(axes);
  for (std::size_t axis = 0; axis < static_cast<std::size_t>(axes); ++axis)
    for (const int row : rows)
      p.push_back(positions[axis * length + static_cast<std::size_t>(row)]);
  return p;
}

template <class T>
Workload rotation(const Call& c) {
  const Mat<T> x = uniform<T>(c.m, c.n, 1);
  const Mat<float> table("bench::table", c.m, c.head_dim);
  kernels::mrope_table(Exec{}, to_kernels(positions(c.m, 3)), section_of(c.head_dim), kTheta,
                       table);
  const std::vector<int> rows = sample(c.m, kSampled);
  const auto before = rows_of(x, rows);
  const int heads = c.heads, head_dim = c.head_dim, width = static_cast<int>(c.n);
  return {[=] { kernels::rotate_half(Exec{}, x, table, heads, head_dim, false); },
          [=] {
            return error_of<T>(rows_of(x, rows),
                               reference::rotate_half(before, rows_of(table, rows), width, heads,
                                                      head_dim, false));
          },
          [=] { spoil(x); }, ""};
}

}  // namespace

template <class T>
Workload rotary_workload(const Call& c) {
  if (c.kernel == "rotate") return rotation<T>(c);
  const bool vision = c.kernel == "vision_rope_table";
  const int axes = vision ? 2 : 3, head_dim = static_cast<int>(c.n);
  const std::vector<int> all_positions = positions(c.m, axes), rows = sample(c.m, kSampled);
  const Vec<const int> on_device = to_kernels(all_positions);
  const Mat<float> table = uniform<float>(c.m, c.n, 1);
  const auto expected = [=] {
    const std::vector<int> p = of_rows(all_positions, rows, axes);
    return vision ? reference::vision_rope_table(p, head_dim)
                  : reference::mrope_table(p, section_of(head_dim), kTheta, head_dim);
  };
  return {[=] {
            if (vision)
              kernels::vision_rope_table(Exec{}, on_device, table);
            else
              kernels::mrope_table(Exec{}, on_device, section_of(head_dim), kTheta, table);
          },
          [=] { return error_of<float>(rows_of(table, rows), expected()); }, [=] { spoil(table); },
          ""};
}
template Workload rotary_workload<float>(const Call&);
template Workload rotary_workload<bf16>(const Call&);

}  // namespace vlmark::bench
