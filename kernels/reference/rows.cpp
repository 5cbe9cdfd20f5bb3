#include "kernels/reference/rows.hpp"

namespace vlmark::kernels::reference {

Values gather_rows(Input x, std::span<const int> source, int columns) {
  Values y;
  y.reserve(source.size() * columns);
  for (const int t : source)
    for (int h = 0; h < columns; ++h) y.push_back(x[static_cast<std::size_t>(t) * columns + h]);
  return y;
}

Values scatter_rows(Input rows, std::span<const int> destination, Input x, int columns) {
  Values y(x.begin(), x.end());
  for (std::size_t i = 0; i < destination.size(); ++i)
    for (int h = 0; h < columns; ++h)
      y[static_cast<std::size_t>(destination[i]) * columns + h] = rows[i * columns + h];
  return y;
}

Values add_bias(Input b, Input y) {
  Values out(y.size());
  for (std::size_t i = 0; i < y.size(); ++i) out[i] = y[i] + b[i % b.size()];
  return out;
}

Values bias_gradient(Input dy, int columns) {
  Values db(columns);
  for (std::size_t i = 0; i < dy.size(); ++i) db[i % columns] += dy[i];
  return db;
}

}  // namespace vlmark::kernels::reference
