#pragma once

#include "kernels/reference/types.hpp"

namespace vlmark::kernels::reference {

/// y[i,:] = x[source[i],:]; x: [rows, columns]. Its gradient is scatter_rows into zeros where the
/// sources are distinct.
Values gather_rows(Input x, std::span<const int> source, int columns);

/// x with x[destination[i],:] = rows[i,:]. Gradients: gather_rows for `rows`, and for x its
/// gradient with those rows set to zero.
Values scatter_rows(Input rows, std::span<const int> destination, Input x, int columns);

/// y[t,:] + b.
Values add_bias(Input b, Input y);

/// db[h] = sum_t dy[t,h]: the gradient of add_bias; dy: [rows, columns].
Values bias_gradient(Input dy, int columns);

}  // namespace vlmark::kernels::reference
