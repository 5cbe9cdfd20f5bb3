#include "src/io/record_tables.hpp"

#include "parallel/scalars.hpp"

namespace vlmark::io {
namespace {

using parallel::Communicator;

/// A table of which every rank holds some rows; columns are datasets [row] below one group.
class Table {
 public:
  /// Collective: finds where this rank's rows lie among all.
  Table(Hdf5Writer& file, Communicator& comm, std::string group, std::size_t rows)
      : file_(file), comm_(comm), group_(std::move(group)), rows_(rows) {
    std::vector<std::int64_t> all(static_cast<std::size_t>(comm.size()));
    const auto mine = static_cast<std::int64_t>(rows);
    comm.all_gather(parallel::buffer(&mine, 1), parallel::buffer(all)).wait();
    hsize_t total = 0, before = 0;
    for (std::size_t rank = 0; rank < all.size(); ++rank) {
      if (static_cast<int>(rank) == comm.rank()) before = total;
      total += static_cast<hsize_t>(all[rank]);
    }
    block_ = {{total}, {before}, {static_cast<hsize_t>(rows)}};
  }

  void ranks() {
    const std::vector<std::int64_t> values(rows_, comm_.rank());
    file_.write(group_ + "/rank", block_, values);
  }

  /// get(row) gives an integer, a double or a string.
  template <class Rows, class Get>
  void column(const char* name, const Rows& rows, Get get) {
    using Value = decltype(get(rows[0]));
    const std::string dataset = group_ + "/" + name;
    if constexpr (std::is_integral_v<Value>) {
      write<std::int64_t>(dataset, rows, get);
    } else if constexpr (std::is_floating_point_v<Value>) {
      write<double>(dataset, rows, get);
    } else {
      std::vector<std::string> values;
      std::size_t width = 0;
      for (const auto& row : rows) width = std::max(width, values.emplace_back(get(row)).size());
      width = static_cast<std::size_t>(
          parallel::all_reduce_max(comm_, static_cast<std::int64_t>(width)));
      file_.write(dataset, block_, values, width);
    }
  }

 private:
  template <class Element, class Rows, class Get>
  void write(const std::string& dataset, const Rows& rows, Get get) {
    std::vector<Element> values;
    for (const auto& row : rows) values.push_back(static_cast<Element>(get(row)));
    file_.write(dataset, block_, std::span<const Element>(values));
  }

  Hdf5Writer& file_;
  Communicator& comm_;
  std::string group_;
  std::size_t rows_;
  Block block_;
};

}  // namespace

void write_tables(Hdf5Writer& file, Communicator& comm, const RankSamples& samples) {
  const auto& actions = samples.actions;
  Table trace(file, comm, "/trace", actions.size());
  trace.ranks();
  trace.column("step", actions, [](const ActionTiming& a) { return a.step; });
  trace.column("kind", actions, [](const ActionTiming& a) { return a.kind; });
  trace.column("lane", actions, [](const ActionTiming& a) { return a.lane; });
  trace.column("micro_batch", actions, [](const ActionTiming& a) { return a.micro_batch; });
  trace.column("chunk", actions, [](const ActionTiming& a) { return a.chunk; });
  trace.column("start_ns", actions, [](const ActionTiming& a) { return a.start_ns; });
  trace.column("end_ns", actions, [](const ActionTiming& a) { return a.end_ns; });

  const auto& checks = samples.verification;
  Table verification(file, comm, "/verification", checks.size());
  verification.ranks();
  verification.column("rule", checks, [](const Verification& v) { return v.rule; });
  verification.column("item", checks, [](const Verification& v) { return v.item; });
  verification.column("value", checks, [](const Verification& v) { return v.value; });
  verification.column("limit", checks, [](const Verification& v) { return v.limit; });
  verification.column("passed", checks, [](const Verification& v) { return v.passed; });

  const auto& uses = samples.kernels;
  Table kernels(file, comm, "/gemm_kernels", uses.size());
  kernels.ranks();
  kernels.column("shape", uses, [](const KernelUse& k) { return k.shape; });
  kernels.column("kernel", uses, [](const KernelUse& k) { return k.kernel; });
  kernels.column("count", uses, [](const KernelUse& k) { return k.count; });

  const auto predictions = comm.rank() == 0 ? samples.plan_values : std::vector<PlanValue>{};
  Table plan(file, comm, "/plan/values", predictions.size());
  plan.column("name", predictions, [](const PlanValue& p) { return p.name; });
  plan.column("value", predictions, [](const PlanValue& p) { return p.value; });
}

}  // namespace vlmark::io
