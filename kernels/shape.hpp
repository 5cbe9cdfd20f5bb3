#pragma once

#include <string_view>

#include "kernels/types.hpp"

namespace vlmark::kernels {

/// Throws ShapeError naming the argument unless `v` is [n].
template <class T>
void require_shape(std::string_view where, std::string_view name, const Vec<T>& v, long n) {
  require_extents(where, name, {static_cast<long>(v.extent(0))}, {n});
}

/// Throws ShapeError naming the argument unless `m` is [rows, cols].
template <class T>
void require_shape(std::string_view where, std::string_view name, const Mat<T>& m, long rows,
                   long cols) {
  require_extents(where, name, {static_cast<long>(m.extent(0)), static_cast<long>(m.extent(1))},
                  {rows, cols});
}

}  // namespace vlmark::kernels
