#pragma once

#include <cstdint>

#include "parallel/communicator.hpp"

namespace vlmark::parallel {

// One number per rank, blocking. Throws CommError. Cost: one all_reduce or broadcast of 8 byte.

double all_reduce_sum(Communicator& comm, double mine);
double all_reduce_max(Communicator& comm, double mine);
double all_reduce_min(Communicator& comm, double mine);
std::int64_t all_reduce_sum(Communicator& comm, std::int64_t mine);
std::int64_t all_reduce_max(Communicator& comm, std::int64_t mine);
std::int64_t all_reduce_min(Communicator& comm, std::int64_t mine);

/// The value of `root`, on every rank.
double broadcast_value(Communicator& comm, double mine, int root = 0);
std::int64_t broadcast_value(Communicator& comm, std::int64_t mine, int root = 0);

/// True on every rank when all ranks passed the same number (a hash). Cost: 16 byte.
bool same_on_all_ranks(Communicator& comm, std::uint64_t mine);

/// Returns once every rank has called it.
void wait_for_all(Communicator& comm);

}  // namespace vlmark::parallel
