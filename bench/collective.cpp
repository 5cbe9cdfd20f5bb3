#include "bench/collective.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "parallel/scalars.hpp"

namespace vlmark::bench {
namespace {

using parallel::buffer;
using parallel::Reduce;

constexpr int kTag = 9;
constexpr int kRoot = 0;

double value(int rank, std::size_t i) {
  return (static_cast<double>((i * 7 + i / 31) % 31) - 15) * (rank % 3 + 1) + rank * 5 % 7;
}
double sum(int ranks, std::size_t i) {
  double total = 0;
  for (int r = 0; r < ranks; ++r) total += value(r, i);
  return total;
}

}  // namespace

const char* name_of(Collective collective) {
  constexpr const char* names[] = {"all_reduce", "reduce_scatter", "all_gather", "broadcast",
                                   "exchange"};
  return names[static_cast<int>(collective)];
}

double bus_factor(Collective collective, int ranks) {
  const double n = ranks;
  switch (collective) {
    case Collective::all_reduce:
      return 2 * (n - 1) / n;
    case Collective::reduce_scatter:
    case Collective::all_gather:
      return (n - 1) / n;
    case Collective::broadcast:
    case Collective::exchange:
      return 1;
  }
  return 0;
}

CollectiveRun::CollectiveRun(parallel::Communicator& comm, Collective collective, std::size_t bytes)
    : comm_(comm), collective_(collective) {
  const auto ranks = static_cast<std::size_t>(comm.size());
  const std::size_t elements = std::max<std::size_t>((bytes + 3) / 4, 1);
  const bool sliced =
      collective == Collective::reduce_scatter || collective == Collective::all_gather;
  slice_ = sliced ? (elements + ranks - 1) / ranks : elements;
  elements_ = sliced ? slice_ * ranks : elements;
  in_.resize(collective == Collective::all_gather ? slice_ : elements_);
  if (collective == Collective::reduce_scatter) out_.resize(slice_);
  if (collective == Collective::all_gather || collective == Collective::exchange)
    out_.resize(elements_);
}

void CollectiveRun::fill() {
  const int rank = comm_.rank();
  for (std::size_t i = 0; i < in_.size(); ++i) in_[i] = static_cast<float>(value(rank, i));
  // Equal to nothing, so that an element nobody wrote is never right by chance.
  const float poison = std::numeric_limits<float>::quiet_NaN();
  std::fill(out_.begin(), out_.end(), poison);
  if (collective_ == Collective::broadcast && rank != kRoot)
    std::fill(in_.begin(), in_.end(), poison);
}

void CollectiveRun::run() {
  const int rank = comm_.rank(), ranks = comm_.size();
  switch (collective_) {
    case Collective::all_reduce:
      return comm_.all_reduce(buffer(in_), Reduce::sum).wait();
    case Collective::reduce_scatter:
      return comm_.reduce_scatter(buffer(std::as_const(in_)), buffer(out_), Reduce::sum).wait();
    case Collective::all_gather:
      return comm_.all_gather(buffer(std::as_const(in_)), buffer(out_)).wait();
    case Collective::broadcast:
      return comm_.broadcast(buffer(in_), kRoot).wait();
    case Collective::exchange: {
      parallel::Request receive = comm_.receive(buffer(out_), (rank + ranks - 1) % ranks, kTag);
      comm_.send(buffer(std::as_const(in_)), (rank + 1) % ranks, kTag).wait();
      return std::move(receive).wait();
    }
  }
}

std::int64_t CollectiveRun::wrong_here() const {
  const int rank = comm_.rank(), ranks = comm_.size();
  const auto count = [](const std::vector<float>& values, const auto& expected) {
    std::int64_t wrong = 0;
    for (std::size_t i = 0; i < values.size(); ++i)
      if (!(static_cast<double>(values[i]) == expected(i))) ++wrong;  // NaN counts
    return wrong;
  };
  switch (collective_) {
    case Collective::all_reduce:
      return count(in_, [&](std::size_t i) { return sum(ranks, i); });
    case Collective::reduce_scatter:
      return count(out_, [&](std::size_t i) {
        return sum(ranks, static_cast<std::size_t>(rank) * slice_ + i);
      });
    case Collective::all_gather:
      return count(out_,
                   [&](std::size_t i) { return value(static_cast<int>(i / slice_), i % slice_); });
    case Collective::broadcast:
      return count(in_, [&](std::size_t i) { return value(kRoot, i); });
    case Collective::exchange:
      return count(out_, [&](std::size_t i) { return value((rank + ranks - 1) % ranks, i); });
  }
  return 0;
}

std::int64_t CollectiveRun::wrong() {
  fill();
  run();
  const std::int64_t all = parallel::all_reduce_sum(comm_, wrong_here());
  // Sums of sums would grow beyond what fp32 holds.
  std::fill(in_.begin(), in_.end(), 0.0f);
  return all;
}

}  // namespace vlmark::bench
