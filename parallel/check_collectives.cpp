#include "parallel/check_collectives.hpp"

#include <algorithm>
#include <limits>

#include "parallel/scalars.hpp"
#include "src/base/bf16.hpp"

namespace vlmark::parallel {
namespace {

constexpr int kTag = 4;
// Equal to nothing, so that an element nobody wrote is never right by chance.
constexpr double kPoison = std::numeric_limits<double>::quiet_NaN();

double a(std::size_t i) { return static_cast<double>((i * 7 + i / 31) % 31) - 15; }
double c(int r) { return r % 3 + 1; }
double d(int r) { return r * 5 % 7; }
double x(int r, std::size_t i) { return a(i) * c(r) + d(r); }

float from_double(double value, float) { return static_cast<float>(value); }
double from_double(double value, double) { return value; }
bf16 from_double(double value, bf16) { return to_bf16(static_cast<float>(value)); }
double to_double(float value) { return value; }
double to_double(double value) { return value; }
double to_double(bf16 value) { return widen(value); }

template <class T, class F>
std::vector<T> filled(std::size_t count, F value) {
  std::vector<T> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = from_double(value(i), T{});
  return values;
}

template <class T>
std::vector<T> poisoned(std::size_t count) {
  return filled<T>(count, [](std::size_t) { return kPoison; });
}

template <class T, class F>
std::uint64_t count_wrong(const std::vector<T>& values, F expected) {
  std::uint64_t wrong = 0;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!(to_double(values[i]) == expected(i))) ++wrong;  // NaN counts
  return wrong;
}

class Checker {
 public:
  explicit Checker(Communicator& comm)
      : comm_(comm), rank_(comm.rank()), ranks_(static_cast<std::size_t>(comm.size())) {
    for (int r = 0; r < comm.size(); ++r) sum_c_ += c(r), sum_d_ += d(r);
  }

  template <class T>
  void sums(std::size_t elements) {
    auto values = filled<T>(elements, [&](std::size_t i) { return x(rank_, i); });
    comm_.all_reduce(buffer(values), Reduce::sum).wait();
    record("all_reduce sum", dtype_of(values.data()), elements,
           count_wrong(values, [&](std::size_t i) { return sum(i); }));

    const std::size_t slice = slice_of(elements);
    const auto in = filled<T>(slice * ranks_, [&](std::size_t i) { return x(rank_, i); });
    auto out = poisoned<T>(slice);
    comm_.reduce_scatter(buffer(in), buffer(out), Reduce::sum).wait();
    record("reduce_scatter sum", dtype_of(out.data()), in.size(),
           count_wrong(out, [&](std::size_t i) { return sum(rank_ * slice + i); }));
  }

  template <class T>
  void moves(std::size_t elements) {
    const std::size_t slice = slice_of(elements);
    const auto mine = filled<T>(slice, [&](std::size_t i) { return x(rank_, i); });
    auto whole = poisoned<T>(slice * ranks_);
    comm_.all_gather(buffer(mine), buffer(whole)).wait();
    record("all_gather", dtype_of(whole.data()), whole.size(),
           count_wrong(whole,
                       [&](std::size_t i) { return x(static_cast<int>(i / slice), i % slice); }));

    const int root = comm_.size() - 1;
    auto message = poisoned<T>(elements);
    if (rank_ == root) message = filled<T>(elements, [&](std::size_t i) { return x(root, i); });
    comm_.broadcast(buffer(message), root).wait();
    record("broadcast", dtype_of(message.data()), elements,
           count_wrong(message, [&](std::size_t i) { return x(root, i); }));

    const int right = (rank_ + 1) % comm_.size();
    const int left = (rank_ + comm_.size() - 1) % comm_.size();
    const auto out = filled<T>(elements, [&](std::size_t i) { return x(rank_, i); });
    auto in = poisoned<T>(elements);
    Request receive = comm_.receive(buffer(in), left, kTag);
    comm_.send(buffer(out), right, kTag).wait();
    std::move(receive).wait();
    record("exchange", dtype_of(in.data()), elements,
           count_wrong(in, [&](std::size_t i) { return x(left, i); }));
  }

  std::vector<CollectiveCheck> results() && { return std::move(results_); }

 private:
  double sum(std::size_t i) const { return a(i) * sum_c_ + sum_d_; }
  std::size_t slice_of(std::size_t elements) const { return (elements + ranks_ - 1) / ranks_; }

  void record(const char* name, DType type, std::size_t elements, std::uint64_t wrong) {
    // The tally travels over the communicator under test: the own count is never lowered by it.
    const auto total = all_reduce_sum(comm_, static_cast<std::int64_t>(wrong));
    results_.push_back({std::string(name) + " " + std::string(name_of(type)), elements,
                        std::max(wrong, static_cast<std::uint64_t>(total))});
  }

  Communicator& comm_;
  int rank_;
  std::size_t ranks_;
  double sum_c_ = 0, sum_d_ = 0;
  std::vector<CollectiveCheck> results_;
};

}  // namespace

std::vector<CollectiveCheck> check_collectives(Communicator& comm,
                                               const std::vector<std::size_t>& sizes) {
  Checker checker(comm);
  for (const std::size_t elements : sizes) {
    checker.sums<float>(elements);
    checker.sums<double>(elements);
    checker.moves<float>(elements);
    checker.moves<bf16>(elements);
  }
  return std::move(checker).results();
}

}  // namespace vlmark::parallel
