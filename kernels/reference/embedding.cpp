#include "kernels/reference/embedding.hpp"

namespace vlmark::kernels::reference {

Values embedding_gather(std::span<const int> ids, Input table, int hidden) {
  Values y;
  y.reserve(ids.size() * hidden);
  for (const int id : ids)
    for (int h = 0; h < hidden; ++h) y.push_back(table[static_cast<std::size_t>(id) * hidden + h]);
  return y;
}

Values embedding_scatter_add(Input dy, std::span<const int> ids, int vocab, int hidden) {
  Values d_table(static_cast<std::size_t>(vocab) * hidden);
  for (std::size_t t = 0; t < ids.size(); ++t)
    for (int h = 0; ids[t] >= 0 && h < hidden; ++h)
      d_table[static_cast<std::size_t>(ids[t]) * hidden + h] += dy[t * hidden + h];
  return d_table;
}

}  // namespace vlmark::kernels::reference
