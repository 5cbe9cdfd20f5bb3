// The training schedule over doubles of queue and communicator: ranks are threads, every message
// and every action is delayed at random. Without Kokkos and MPI, for ThreadSanitizer.

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <future>

#include "parallel/check_collectives.hpp"
#include "src/base/error.hpp"
#include "tests/engine/test_lanes.hpp"
#include "tests/support/local_world.hpp"
#include "tests/support/one_stage.hpp"

namespace vlmark::test {
namespace {

using plan::Action;
using plan::ActionKind;
using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;
using namespace std::chrono_literals;

constexpr int kMicroBatches = 12, kSlice = 12;
constexpr int kSizes[] = {1, 3, 2};  ///< slices of each bucket, times kSlice / ranks elements
constexpr int kBuckets = 3;

/// A model of integers: gradients are a function of parameters and micro-batch, sums are exact.
/// Memory is handed from lane to lane as in the engine, through buffers of the same names.
class ToyRank {
 public:
  ToyRank(parallel::Communicator& comm, const engine::Executor::Lanes& lanes, Pauses& pauses,
          engine::Patience patience)
      : comm_(comm), executor_(lanes, patience), pauses_(pauses) {
    for (int b = 0; b < kBuckets; ++b) {
      parameters_.emplace_back(elements(b));
      for (std::size_t i = 0; i < elements(b); ++i)
        parameters_.back()[i] = static_cast<std::int64_t>(i) + 100 * b;
      gradients_.emplace_back(elements(b), 0);
      slices_.emplace_back(elements(b) / static_cast<std::size_t>(comm.size()));
    }
  }

  plan::Schedule schedule() const {
    const int share = kMicroBatches / comm_.size();
    return plan::one_stage(comm_.rank() * share, (comm_.rank() + 1) * share, kBuckets);
  }
  void step(const plan::Schedule& schedule) { step(schedule, plan::dependencies(schedule)); }
  void step(const plan::Schedule& schedule, const plan::Waits& waits) {
    for (auto& gradient : gradients_) std::fill(gradient.begin(), gradient.end(), 0);
    executor_.execute(schedule, waits, [this](const Action& a) {
      pauses_();
      before(a);
      run(a);
      after(a);
    });
  }
  const std::vector<std::vector<std::int64_t>>& parameters() const { return parameters_; }
  std::int64_t norm() const { return norm_; }

  std::function<void(const Action&)> before = [](const Action&) {}, after = before;

 private:
  static std::size_t elements(int b) { return static_cast<std::size_t>(kSlice * kSizes[b]); }

  void run(const Action& action) {
    const auto b = static_cast<std::size_t>(std::max(action.bucket, 0));
    switch (action.kind) {
      case ActionKind::load:
        input_ = action.micro_batch;
        break;
      case ActionKind::backward:
        for (std::size_t k = 0; k < kBuckets; ++k)
          for (std::size_t i = 0; i < gradients_[k].size(); ++i)
            gradients_[k][i] += parameters_[k][i] % 1009 * (input_ + 1);
        break;
      case ActionKind::reduce_bucket:
        comm_
            .reduce_scatter(parallel::buffer(gradients_[b]), parallel::buffer(slices_[b]),
                            parallel::Reduce::sum)
            .wait();
        break;
      case ActionKind::join_bucket:
        for (std::int64_t& g : slices_[b]) g = 3 * (g % 10'007) + 1;
        break;
      case ActionKind::square_sums:
        sum_ = 0;
        for (const auto& slice : slices_)
          for (const std::int64_t g : slice) sum_ += g * g;
        break;
      case ActionKind::global_norm:
        comm_.all_reduce(parallel::buffer(&sum_, 1), parallel::Reduce::sum).wait();
        norm_ = sum_;
        break;
      case ActionKind::optimizer_slice: {
        const std::size_t first = static_cast<std::size_t>(comm_.rank()) * slices_[b].size();
        for (std::size_t i = 0; i < slices_[b].size(); ++i)
          parameters_[b][first + i] += slices_[b][i] + norm_ % 101;
        break;
      }
      case ActionKind::gather_bucket: {
        const std::size_t slice = slices_[b].size();
        comm_
            .all_gather(parallel::buffer(
                            &parameters_[b][static_cast<std::size_t>(comm_.rank()) * slice], slice),
                        parallel::buffer(parameters_[b]))
            .wait();
        break;
      }
      default:
        break;
    }
  }

  parallel::Communicator& comm_;
  engine::Executor executor_;
  Pauses& pauses_;
  std::vector<std::vector<std::int64_t>> parameters_, gradients_, slices_;  // [bucket]
  std::int64_t input_ = 0, sum_ = 0, norm_ = 0;
};

struct Job {
  int ranks;
  std::uint64_t seed;
  engine::Patience patience = {};
};

/// Runs body(rank, toy) on every rank. One that throws is lost to the others, as a real one is.
template <class Body>
void run_job(const Job& job, LocalWorld& world, const Body& body) {
  run_threads(job.ranks, [&](int rank) {
    const auto comm = world.communicator(rank);
    const auto seed = job.seed + static_cast<std::uint64_t>(rank);
    auto lanes = std::make_unique<TestLanes>(seed, 100us);
    Pauses pauses(seed + 100, 100us);
    ToyRank toy(*comm, lanes->lanes, pauses, job.patience);
    // The queues end before what their work uses, as in the engine.
    const std::unique_ptr<TestLanes> ends_first = std::move(lanes);
    try {
      body(rank, toy);
    } catch (...) {
      world.lose(rank);
      throw;
    }
  });
}

/// Parameters and norm after some steps of one rank, action by action.
std::pair<std::vector<std::vector<std::int64_t>>, std::int64_t> plain_sequence(int steps = 2) {
  LocalWorld world(1, 0, 0us);
  const auto comm = world.communicator(0);
  const auto queue = engine::inline_queue();
  Pauses none(0, 0us);
  ToyRank toy(*comm, {queue.get(), queue.get(), queue.get(), queue.get()}, none, {});
  for (int i = 0; i < steps; ++i) toy.step(toy.schedule());
  return {toy.parameters(), toy.norm()};
}

TEST(Orchestration, AnyNumberOfRanksGivesThePlainSequence) {
  const auto [parameters, norm] = plain_sequence();
  for (const int ranks : {1, 2, 3, 4})
    for (std::uint64_t seed = 0; seed < 4; ++seed) {
      SCOPED_TRACE(std::to_string(ranks) + " ranks, seed " + std::to_string(seed));
      LocalWorld world(ranks, seed, 100us);
      run_job({ranks, seed}, world, [&, &p = parameters, n = norm](int, ToyRank& toy) {
        for (int i = 0; i < 2; ++i) toy.step(toy.schedule());
        EXPECT_EQ(toy.parameters(), p);
        EXPECT_EQ(toy.norm(), n);
      });
    }
}

/// A schedule that the engine does not know yet: events follow from its buffers all the same.
TEST(Orchestration, AGatherUnderTheNextForwardGivesThePlainSequence) {
  const auto [parameters, norm] = plain_sequence();
  LocalWorld world(2, 9, 100us);
  run_job({2, 9}, world, [&, &p = parameters](int, ToyRank& toy) {
    // The last gather of step one stands at the head of step two.
    plan::Schedule first = toy.schedule(), second = first;
    second.insert(second.begin(), first.back());
    first.pop_back();
    toy.step(first);
    toy.step(second);
    EXPECT_EQ(toy.parameters(), p);
  });
}

TEST(Orchestration, ARankThatFailsEndsTheOthersWithACommError) {
  for (const ActionKind kind : {ActionKind::backward, ActionKind::reduce_bucket,
                                ActionKind::optimizer_slice, ActionKind::gather_bucket}) {
    LocalWorld world(3, 5, 100us);
    run_job({3, 5}, world, [&](int rank, ToyRank& toy) {
      toy.before = [&](const Action& a) {
        if (rank == 1 && a.kind == kind) throw ValueError("planted in " + to_string(a));
      };
      const auto step = [&] { toy.step(toy.schedule()); };
      if (rank == 1) {
        EXPECT_THAT(step, ThrowsMessage<ValueError>(HasSubstr(plan::name_of(kind))));
        world.lose(rank);
      } else {
        EXPECT_THAT(step, ThrowsMessage<CommError>(HasSubstr("rank 1 is lost")));
      }
    });
  }
}

/// Nobody notices but the watch over the step: it ends on every rank and says where it stood.
TEST(Orchestration, ARankThatFallsSilentEndsInACommErrorNotInAHang) {
  LocalWorld world(3, 6, 100us);
  world.silence(2);
  std::atomic<int> ended = 0;
  run_job({3, 6, {.progress = 200ms, .drain = 10ms}}, world, [&](int, ToyRank& toy) {
    EXPECT_THAT([&] { toy.step(toy.schedule()); },
                ThrowsMessage<CommError>(AllOf(HasSubstr("no progress for 0.2"),
                                               HasSubstr("data lane: reduce_bucket b0"))));
    if (++ended == 3) world.end();  // their lanes are still inside the transport
  });
}

TEST(Orchestration, CollectivesInAnotherOrderAreNamed) {
  LocalWorld world(2, 7, 100us);
  std::atomic<int> named = 0;
  run_job({2, 7}, world, [&](int rank, ToyRank& toy) {
    plan::Schedule schedule = toy.schedule();
    if (rank == 1)
      for (Action& action : schedule)
        if (action.bucket >= 0 && action.kind == ActionKind::reduce_bucket)
          action.bucket = (action.bucket + 1) % kBuckets;
    try {
      toy.step(schedule);
      ADD_FAILURE() << "rank " << rank << " noticed nothing";
    } catch (const CommError& e) {  // one of them finds it, the other loses that one
      if (std::string(e.what()).find("rank 1 calls reduce_scatter of 36 x i64") !=
              std::string::npos &&
          std::string(e.what()).find("rank 0 calls reduce_scatter of 12 x i64") !=
              std::string::npos)
        ++named;
      else
        EXPECT_THAT(e.what(), HasSubstr("is lost"));
      world.lose(rank);
    }
  });
  EXPECT_EQ(named, 1);
}

/// The planted error: one derived wait is dropped. The message is held up until the action that
/// needs it has run; with the event the same hold would only make the step wait.
TEST(Orchestration, AMissingEventGivesAnotherResult) {
  const auto [parameters, norm] = plain_sequence(1);
  std::atomic<int> different = 0;
  LocalWorld world(2, 8, 100us);
  run_job({2, 8}, world, [&, &p = parameters](int, ToyRank& toy) {
    const plan::Schedule schedule = toy.schedule();
    plan::Waits waits = plan::dependencies(schedule);
    std::promise<void> joined;
    const auto is = [](const Action& a, ActionKind kind) {
      return a.kind == kind && a.bucket == 0;
    };
    for (std::size_t i = 0; i < schedule.size(); ++i)
      if (is(schedule[i], ActionKind::join_bucket)) waits[i].clear();
    EXPECT_FALSE(plan::unordered(schedule, waits).empty());
    toy.before = [&](const Action& a) {
      if (is(a, ActionKind::reduce_bucket)) joined.get_future().wait();
    };
    toy.after = [&](const Action& a) {
      if (is(a, ActionKind::join_bucket)) joined.set_value();
    };
    toy.step(schedule, waits);
    if (toy.parameters() != p) ++different;
  });
  EXPECT_EQ(different, 2);
}

/// The double itself against known sums.
TEST(LocalWorld, PassesTheCheckOfCollectives) {
  for (const int ranks : {1, 2, 4}) {
    LocalWorld world(ranks, 3, 20us);
    run_threads(ranks, [&](int rank) {
      const auto comm = world.communicator(rank);
      for (const auto& check : parallel::check_collectives(*comm, {1, 3, 1023}))
        EXPECT_EQ(check.wrong, 0u) << check.item << " of " << check.elements;
      const auto half = comm->split(rank % 2, -rank);
      std::int64_t sum = rank;
      half->all_reduce(parallel::buffer(&sum, 1), parallel::Reduce::sum).wait();
      std::int64_t expected = 0;
      for (int r = rank % 2; r < ranks; r += 2) expected += r;
      EXPECT_EQ(sum, expected);
      EXPECT_EQ(half->rank(), (ranks - 1 - rank) / 2);
    });
  }
}

TEST(LocalWorld, AMessageOfAnotherLengthIsACommError) {
  LocalWorld world(2, 4, 20us);
  std::atomic<int> found = 0;
  run_threads(2, [&](int rank) {
    const auto comm = world.communicator(rank);
    std::vector<float> values(rank == 0 ? 3 : 2);
    try {
      if (rank == 0)
        comm->send(parallel::buffer(values), 1, 0).wait();
      else
        comm->receive(parallel::buffer(values), 0, 0).wait();
    } catch (const CommError& e) {
      found += std::string(e.what()).find("send of 3 x fp32 meets receive of 2 x fp32") !=
               std::string::npos;
      world.lose(rank);
      world.end();
    }
  });
  EXPECT_GE(found, 1);
}

}  // namespace
}  // namespace vlmark::test
