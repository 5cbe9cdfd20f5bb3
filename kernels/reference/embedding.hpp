#pragma once

#include "kernels/reference/types.hpp"

namespace vlmark::kernels::reference {

/// y[t,:] = table[ids[t],:]; table: [vocab, hidden].
Values embedding_gather(std::span<const int> ids, Input table, int hidden);

/// Gradient of the table, [vocab, hidden]: sum of dy[t,:] over the tokens with that id. Negative
/// ids add nothing.
Values embedding_scatter_add(Input dy, std::span<const int> ids, int vocab, int hidden);

}  // namespace vlmark::kernels::reference
