#include "parallel/scalars.hpp"

namespace vlmark::parallel {
namespace {

template <class T>
T reduced(Communicator& comm, T value, Reduce op) {
  comm.all_reduce(buffer(&value, 1), op).wait();
  return value;
}

template <class T>
T broadcasted(Communicator& comm, T value, int root) {
  comm.broadcast(buffer(&value, 1), root).wait();
  return value;
}

}  // namespace

double all_reduce_sum(Communicator& comm, double mine) { return reduced(comm, mine, Reduce::sum); }
double all_reduce_max(Communicator& comm, double mine) { return reduced(comm, mine, Reduce::max); }
double all_reduce_min(Communicator& comm, double mine) { return reduced(comm, mine, Reduce::min); }
std::int64_t all_reduce_sum(Communicator& comm, std::int64_t mine) {
  return reduced(comm, mine, Reduce::sum);
}
std::int64_t all_reduce_max(Communicator& comm, std::int64_t mine) {
  return reduced(comm, mine, Reduce::max);
}
std::int64_t all_reduce_min(Communicator& comm, std::int64_t mine) {
  return reduced(comm, mine, Reduce::min);
}

double broadcast_value(Communicator& comm, double mine, int root) {
  return broadcasted(comm, mine, root);
}
std::int64_t broadcast_value(Communicator& comm, std::int64_t mine, int root) {
  return broadcasted(comm, mine, root);
}

bool same_on_all_ranks(Communicator& comm, std::uint64_t mine) {
  // All equal exactly when the largest equals the smallest; ~x turns max into min.
  std::int64_t ends[2] = {static_cast<std::int64_t>(mine), ~static_cast<std::int64_t>(mine)};
  comm.all_reduce(buffer(ends), Reduce::max).wait();
  return ends[0] == ~ends[1];
}

void wait_for_all(Communicator& comm) { comm.barrier().wait(); }

}  // namespace vlmark::parallel
