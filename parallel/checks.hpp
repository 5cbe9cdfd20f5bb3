#pragma once

#include "parallel/communicator.hpp"

// What every communicator requires of its arguments, so that one rank and many refuse alike.
namespace vlmark::parallel {

/// Throws CommError for bf16 and for a device queue.
void require_reducible(const char* where, const ConstBuffer& buffer, Reduce op);
/// Throws CommError for a device queue, ValueError for a null pointer with elements.
void require_host(const char* where, const ConstBuffer& buffer);
/// Throws ValueError unless 0 <= peer < size.
void require_rank(const char* where, const char* name, int peer, int size);
/// Throws ValueError unless 0 <= tag <= kMaxTag.
void require_tag(const char* where, int tag);
/// Throws ValueError unless color >= 0.
void require_color(const char* where, int color);

/// Checks `slice` (one rank's) against `whole` (size slices): types, counts, aliasing.
/// True when `slice` is slice `rank` of `whole` itself; any other overlap is a ValueError.
bool require_slice(const char* where, const ConstBuffer& slice, const ConstBuffer& whole, int rank,
                   int size);

}  // namespace vlmark::parallel
