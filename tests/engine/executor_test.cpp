// The executor on doubles with random delays against the plain sequence. Without Kokkos and MPI, so
// that ThreadSanitizer sees every access.

#include "src/engine/executor.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <future>
#include <map>

#include "src/base/error.hpp"
#include "tests/engine/test_lanes.hpp"
#include "tests/support/random_schedule.hpp"

namespace vlmark::test {
namespace {

using engine::Executor;
using plan::Action;
using plan::ActionKind;
using plan::BufferId;
using plan::Lane;
using testing::HasSubstr;
using testing::ThrowsMessage;
using namespace std::chrono_literals;

constexpr BufferId x{BufferId::Kind::input, 0}, y{BufferId::Kind::input, 1};

/// Plain memory: an access that no event orders is a race, and most likely a wrong value.
using Values = std::map<BufferId, std::uint64_t>;

std::uint64_t mixed(std::uint64_t a, std::uint64_t b) {
  return (a ^ (b + 0x9e3779b97f4a7c15u)) * 0xbf58476d1ce4e5b9u;
}

/// What every action does: its writes become a function of its reads and itself.
template <class Pause>
void play(const Action& action, Values& values, Pause&& pause) {
  auto sum = static_cast<std::uint64_t>(action.micro_batch);
  for (const BufferId buffer : action.reads) sum = mixed(sum, values.at(buffer));
  pause();
  for (const BufferId buffer : action.writes)
    values.at(buffer) = mixed(sum, static_cast<std::uint64_t>(buffer.index));
}

Values zeros(const plan::Schedule& schedule) {
  Values values;
  for (const Action& action : schedule) {
    for (const BufferId buffer : action.reads) values[buffer] = 0;
    for (const BufferId buffer : action.writes) values[buffer] = 0;
  }
  return values;
}

TEST(Executor, RandomSchedulesGiveThePlainSequence) {
  for (std::uint64_t seed = 0; seed < 25; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const plan::Schedule schedule = random_schedule(seed, 60, 5);
    Values expected = zeros(schedule), values = expected;
    for (const Action& action : schedule) play(action, expected, [] {});
    TestLanes lanes(seed, 100us);
    Pauses pauses(seed + 1000, 100us);
    Executor executor(lanes.lanes);
    const auto times =
        executor.execute(schedule, [&](const Action& a) { play(a, values, pauses); });
    EXPECT_EQ(values, expected);
    ASSERT_EQ(times.size(), schedule.size());
    std::map<Lane, std::int64_t> now;
    for (std::size_t i = 0; i < times.size(); ++i) {
      EXPECT_EQ(times[i].action.micro_batch, schedule[i].micro_batch);
      EXPECT_GE(times[i].start_ns, now[schedule[i].lane]);
      EXPECT_GE(times[i].end_ns, times[i].start_ns);
      now[schedule[i].lane] = times[i].end_ns;
    }
  }
}

TEST(Executor, LanesMayShareAQueue) {
  const plan::Schedule schedule = random_schedule(7, 60, 5);
  Values expected = zeros(schedule), values = expected;
  for (const Action& action : schedule) play(action, expected, [] {});
  const auto compute = engine::inline_queue(), messages = engine::thread_queue("messages");
  Executor executor({compute.get(), messages.get(), messages.get(), messages.get()});
  executor.execute(schedule, [&](const Action& a) { play(a, values, [] {}); });
  EXPECT_EQ(values, expected);
  Values alone = zeros(schedule);
  Executor inline_only({compute.get(), compute.get(), compute.get(), compute.get()});
  inline_only.execute(schedule, [&](const Action& a) { play(a, alone, [] {}); });
  EXPECT_EQ(alone, expected);
}

/// compute writes x; data reads x into y; compute reads y.
plan::Schedule there_and_back() {
  return {{ActionKind::backward, Lane::compute, 0, -1, -1, -1, {}, {x}},
          {ActionKind::reduce_bucket, Lane::data, 1, -1, 0, -1, {x}, {y}},
          {ActionKind::join_bucket, Lane::compute, 2, -1, 0, -1, {y}, {x}}};
}

/// The message is held up until the action that needs it has run, which an event would prevent.
TEST(Executor, AMissingEventIsSeen) {
  const plan::Schedule schedule = there_and_back();
  plan::Waits waits = plan::dependencies(schedule);
  ASSERT_EQ(waits[2], std::vector<int>{1});
  waits[2].clear();
  TestLanes lanes(1, 0us);
  std::promise<void> joined;
  std::atomic<bool> arrived = false, arrived_before_join = false;
  Executor(lanes.lanes).execute(schedule, waits, [&](const Action& a) {
    if (a.kind == ActionKind::reduce_bucket) {
      joined.get_future().wait();
      arrived = true;
    } else if (a.kind == ActionKind::join_bucket) {
      arrived_before_join = arrived.load();
      joined.set_value();
    }
  });
  EXPECT_FALSE(arrived_before_join);
  EXPECT_THAT(plan::unordered(schedule, waits),
              testing::Contains(HasSubstr("join_bucket m2 b0 on lane compute does not wait for "
                                          "reduce_bucket m1 b0 on lane data")));
}

TEST(Executor, TheFirstErrorEndsTheStep) {
  for (const ActionKind failing :
       {ActionKind::backward, ActionKind::reduce_bucket, ActionKind::join_bucket}) {
    TestLanes lanes(2, 50us);
    Executor executor(lanes.lanes);
    std::atomic<int> after = 0;
    const auto run = [&](const Action& a) {
      if (a.kind == failing) throw ValueError("planted in " + plan::to_string(a));
      if (a.kind > failing) ++after;
    };
    EXPECT_THAT(
        [&] { executor.execute(there_and_back(), run); },
        ThrowsMessage<ValueError>(HasSubstr(std::string("planted in ") + plan::name_of(failing))));
    if (failing != ActionKind::join_bucket) {
      EXPECT_EQ(after, 0) << "an action ran that waits for the failed one";
    }
    // The lanes are empty again: the next step runs.
    EXPECT_EQ(executor.execute(there_and_back(), [](const Action&) {}).size(), 3u);
  }
}

/// The second lane fails after the first, and is waited for.
TEST(Executor, ALaterErrorDoesNotHideTheFirst) {
  const plan::Schedule schedule{
      {ActionKind::reduce_bucket, Lane::data, 0, -1, 0, -1, {}, {x}},
      {ActionKind::reduce_bucket, Lane::pipeline, 1, -1, 1, -1, {}, {y}},
      {ActionKind::join_bucket, Lane::compute, 2, -1, -1, -1, {x, y}, {}}};
  TestLanes lanes(3, 0us);
  std::promise<void> first, second;
  std::atomic<bool> second_ended = false;
  EXPECT_THAT(
      [&] {
        Executor(lanes.lanes).execute(schedule, [&](const Action& a) {
          if (a.bucket == 0) {
            second.get_future().wait();
            first.set_value();
            throw IoError("the first");
          }
          second.set_value();
          first.get_future().wait();
          std::this_thread::sleep_for(20ms);
          second_ended = true;
          throw ValueError("the second");
        });
      },
      ThrowsMessage<IoError>("the first"));
  EXPECT_TRUE(second_ended);
}

/// A message that never comes ends in an error that says where, and no further step may run over
/// its memory.
TEST(Executor, AStepThatStandsStillIsACommError) {
  TestLanes lanes(4, 0us);
  Executor executor(lanes.lanes, {.progress = 50ms, .drain = 10ms});
  std::promise<void> release;
  const auto released = release.get_future().share();
  const auto run = [released](const Action& a) {
    if (a.kind == ActionKind::reduce_bucket) released.wait();
  };
  EXPECT_THAT([&] { executor.execute(there_and_back(), run); },
              ThrowsMessage<CommError>(HasSubstr("data lane: reduce_bucket m1 b0")));
  EXPECT_THAT([&] { executor.execute(there_and_back(), run); },
              ThrowsMessage<CommError>(HasSubstr("still under way")));
  release.set_value();
}

TEST(ThreadQueueDeathTest, IsNotDestroyedUnderItsWork) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        std::promise<void> never;
        auto future = never.get_future().share();
        auto queue = engine::thread_queue("messages", 10ms);
        queue->submit([future] { future.wait(); });
        queue.reset();
      },
      "queue messages: destroyed while its work does not end");
}

engine::ActionTime at(Lane lane, std::int64_t start, std::int64_t end) {
  return {{ActionKind::load, lane}, start, end};
}

TEST(Exposed, IsTheTimeNoComputeCovers) {
  const auto exposed = [](const std::vector<engine::ActionTime>& actions) {
    return engine::exposed_ns(actions, Lane::data);
  };
  EXPECT_EQ(exposed({}), 0);
  EXPECT_EQ(exposed({at(Lane::data, 10, 30)}), 20);
  EXPECT_EQ(exposed({at(Lane::compute, 0, 50), at(Lane::data, 10, 30)}), 0);
  EXPECT_EQ(exposed({at(Lane::data, 10, 30), at(Lane::compute, 20, 50)}), 10);
  EXPECT_EQ(exposed({at(Lane::compute, 0, 12), at(Lane::data, 10, 30), at(Lane::compute, 15, 20),
                     at(Lane::compute, 20, 21), at(Lane::data, 30, 40), at(Lane::compute, 28, 35),
                     at(Lane::tensor, 0, 100)}),
            (20 - 2 - 5 - 1 - 2) + (10 - 5));
}

}  // namespace
}  // namespace vlmark::test
