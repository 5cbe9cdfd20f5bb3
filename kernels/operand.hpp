#pragma once

namespace vlmark::kernels {

/// A row-major matrix behind a plain pointer; `row` is the distance of its rows in elements.
template <class Pointer>
struct Operand {
  Pointer data;
  long row;
};

}  // namespace vlmark::kernels
