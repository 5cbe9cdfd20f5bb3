#include "parallel/nccl_communicator.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <thread>
#include <vector>

#include "parallel/mpi_communicator.hpp"
#include "parallel/scalars.hpp"
#include "src/base/counters.hpp"
#include "src/base/error.hpp"
#include "tests/gpu/double/nccl_double.hpp"
#include "tests/support/mpi_world.hpp"

namespace vlmark::parallel::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;
using vlmark::test::nccl_double;

const std::vector<std::size_t> kCounts{0, 1, 3, 1023, 40001};

class NcclCommunicator : public testing::Test {
 protected:
  NcclCommunicator() { nccl_double() = {}; }
  ~NcclCommunicator() override { nccl_double() = {}; }

  static std::unique_ptr<Communicator> make(
      int color = 0, int key = 0, std::chrono::milliseconds patience = std::chrono::seconds(20)) {
    return nccl_communicator(vlmark::test::world().split(color, key), {patience});
  }
};

/// What rank r holds at element i: small integers, exact in every type.
template <class T>
std::vector<T> values_of(int rank, std::size_t count) {
  std::vector<T> values(count);
  for (std::size_t i = 0; i < count; ++i)
    values[i] = static_cast<T>(static_cast<int>(i % 5) * (rank + 1) + rank % 3);
  return values;
}
template <class T>
std::vector<T> sum_of(int ranks, std::size_t count) {
  std::vector<T> sum(count);
  for (int r = 0; r < ranks; ++r) {
    const auto one = values_of<T>(r, count);
    for (std::size_t i = 0; i < count; ++i) sum[i] = static_cast<T>(sum[i] + one[i]);
  }
  return sum;
}

template <class T>
void check_collectives(Communicator& comm, const std::vector<std::size_t>& counts) {
  const int n = comm.size(), rank = comm.rank();
  for (const std::size_t count : counts) {
    auto sums = values_of<T>(rank, count);
    comm.all_reduce(buffer(sums), Reduce::sum).wait();
    ASSERT_EQ(sums, sum_of<T>(n, count));

    const auto whole = values_of<T>(rank, count * n);
    const auto total = sum_of<T>(n, count * n);
    const std::vector<T> slice_of_total(total.begin() + rank * count,
                                        total.begin() + (rank + 1) * count);
    std::vector<T> slice(count);
    comm.reduce_scatter(buffer(whole), buffer(slice), Reduce::sum).wait();
    ASSERT_EQ(slice, slice_of_total);
    auto in_place = whole;
    comm.reduce_scatter(buffer(in_place), buffer(in_place.data() + rank * count, count),
                        Reduce::sum)
        .wait();
    for (std::size_t i = 0; i < whole.size(); ++i)
      ASSERT_EQ(in_place[i], i / std::max<std::size_t>(count, 1) == static_cast<std::size_t>(rank)
                                 ? total[i]
                                 : whole[i]);

    std::vector<T> all(count * n), expected;
    for (int r = 0; r < n; ++r) {
      const auto one = values_of<T>(r, count);
      expected.insert(expected.end(), one.begin(), one.end());
    }
    const auto mine = values_of<T>(rank, count);
    comm.all_gather(buffer(mine), buffer(all)).wait();
    ASSERT_EQ(all, expected);

    auto broadcasted = values_of<T>(rank, count);
    comm.broadcast(buffer(broadcasted), n - 1).wait();
    ASSERT_EQ(broadcasted, values_of<T>(n - 1, count));
  }
}

TEST_F(NcclCommunicator, ReducesGathersAndBroadcastsEveryType) {
  const int world = vlmark::test::world().rank();
  for (const auto& comm : {make(), make(0, -world), make(world < 2 ? 0 : 1)}) {
    check_collectives<float>(*comm, kCounts);
    check_collectives<double>(*comm, {7});
    check_collectives<std::int32_t>(*comm, {7});
    check_collectives<std::int64_t>(*comm, {7});
    check_collectives<std::uint8_t>(*comm, {7});
  }
}

TEST_F(NcclCommunicator, MaximaMinimaAndBf16) {
  const auto comm = make();
  std::vector<double> largest{comm->rank() * 1.0}, least{comm->rank() * 1.0};
  Request first = comm->all_reduce(buffer(largest), Reduce::max);
  Request second = comm->all_reduce(buffer(least), Reduce::min);
  std::move(second).wait();
  std::move(first).wait();
  EXPECT_EQ(largest[0], comm->size() - 1);
  EXPECT_EQ(least[0], 0);
  std::vector<bf16> mine(5, to_bf16(1.5f * static_cast<float>(comm->rank())));
  std::vector<bf16> all(5 * static_cast<std::size_t>(comm->size()));
  comm->all_gather(buffer(mine), buffer(all)).wait();
  for (std::size_t i = 0; i < all.size(); ++i)
    EXPECT_EQ(widen(all[i]), 1.5f * static_cast<float>(i / 5));
  EXPECT_THAT([&] { comm->all_reduce(buffer(mine), Reduce::sum).wait(); },
              ThrowsMessage<CommError>(HasSubstr("sum of bf16")));
}

TEST_F(NcclCommunicator, MessagesOfBothDirectionsAreOneGroup) {
  const auto comm = make();
  const int n = comm->size(), right = (comm->rank() + 1) % n, left = (comm->rank() + n - 1) % n;
  for (const std::size_t count : kCounts) {
    const auto out = values_of<float>(comm->rank(), count);
    std::vector<float> in(count);
    Request send = comm->send(buffer(out), right, 3);
    Request receive = comm->receive(buffer(in), left, 3);
    std::move(send).wait();  // the receive starts with it, or both ranks would wait for ever
    std::move(receive).wait();
    ASSERT_EQ(in, values_of<float>(left, count));
  }
  EXPECT_EQ(nccl_double().largest_group, 2);
}

/// As a pipeline does: the message is under way while all ranks reduce.
TEST_F(NcclCommunicator, AWaitForACollectiveStartsSends) {
  const auto comm = make();
  if (comm->size() < 2) GTEST_SKIP() << "needs two ranks";
  std::vector<float> sums{1}, message{static_cast<float>(7 + comm->rank())};
  if (comm->rank() == 0) {
    Request send = comm->send(buffer(message), 1, 0);
    comm->all_reduce(buffer(sums), Reduce::sum).wait();
    std::move(send).wait();
  } else if (comm->rank() == 1) {
    comm->receive(buffer(message), 0, 0).wait();
    EXPECT_EQ(message[0], 7);
    comm->all_reduce(buffer(sums), Reduce::sum).wait();
  } else {
    comm->all_reduce(buffer(sums), Reduce::sum).wait();
  }
  EXPECT_EQ(sums[0], comm->size());
}

TEST_F(NcclCommunicator, AMessageOfAnotherLengthOrOrderIsAnErrorAndEndsTheGroup) {
  for (const bool order : {false, true}) {
    const auto comm = make();
    const int n = comm->size(), right = (comm->rank() + 1) % n, left = (comm->rank() + n - 1) % n;
    const std::vector<float> out(3), other(3);
    std::vector<float> in(order ? 3 : 4), late(3);
    Request first = comm->send(buffer(out), right, 1);
    Request second = comm->send(buffer(other), right, 2);
    Request one = comm->receive(buffer(in), left, order ? 2 : 1);
    Request two = comm->receive(buffer(late), left, order ? 1 : 2);
    const auto wait = [&] {
      const Request unused[] = {std::move(first), std::move(second), std::move(two)};
      std::move(one).wait();
    };
    EXPECT_THAT(wait, ThrowsMessage<CommError>(
                          order ? HasSubstr("message 1 from rank " + std::to_string(left) +
                                            " with tag 2 is received as number 0")
                                : HasSubstr("3 x fp32 arrived from rank " + std::to_string(left) +
                                            " with tag 1 (expected 4 x fp32)")));
    EXPECT_EQ(nccl_double().aborts, order ? 2 : 1);
    EXPECT_THROW(comm->receive(buffer(in), left, 1).wait(), CommError);
    wait_for_all(vlmark::test::world());
  }
}

TEST_F(NcclCommunicator, StartsAfterTheQueueOfItsBuffer) {
  const auto comm = make();
  void* const queue = vlmark::test::busy_stream();
  std::vector<float> values{1};
  Request request = comm->all_reduce(
      {.data = values.data(), .count = 1, .type = DType::f32, .queue = queue}, Reduce::sum);
  values[0] = 5;  // the producer's work
  vlmark::test::release(queue);
  std::move(request).wait();
  EXPECT_EQ(values[0], 5 * comm->size());
}

TEST_F(NcclCommunicator, HostMemoryTravelsOverTheHost) {
  const auto comm = make();
  nccl_double().host_memory = true;
  nccl_double().stuck = true;  // nothing may reach the device
  check_collectives<float>(*comm, {0, 7});
  EXPECT_EQ(all_reduce_sum(*comm, 1.0), comm->size());
  wait_for_all(*comm);
  nccl_double() = {};
}

TEST_F(NcclCommunicator, OwnerLivesUntilWait) {
  const auto comm = make();
  auto owner = std::make_shared<std::vector<float>>(9);
  const std::weak_ptr<std::vector<float>> watch = owner;
  Buffer values = buffer(*owner);
  values.owner = std::move(owner);
  Request request = comm->all_reduce(std::move(values), Reduce::sum);
  EXPECT_FALSE(watch.expired());
  std::move(request).wait();
  EXPECT_TRUE(watch.expired());
}

/// The table in communicator.hpp with P = 1.
TEST_F(NcclCommunicator, BooksAsTheTableSays) {
  const auto comm = make();
  const int n = comm->size();
  const auto booked = [&](const auto& call) {
    const Counters before = counters();
    call();
    return std::pair(counters().sent_bytes - before.sent_bytes,
                     counters().messages - before.messages);
  };
  const auto expected = [&](std::uint64_t bytes, std::uint64_t messages) {
    return n == 1 ? std::pair<std::uint64_t, std::uint64_t>(0, 0) : std::pair(bytes, messages);
  };
  std::vector<float> values(13), whole(13 * n), in(13);
  EXPECT_EQ(booked([&] { comm->all_reduce(buffer(values), Reduce::sum).wait(); }), expected(52, 1));
  EXPECT_EQ(booked([&] { comm->all_reduce(Buffer{}, Reduce::sum).wait(); }), expected(0, 1));
  EXPECT_EQ(booked([&] { comm->reduce_scatter(buffer(whole), buffer(values), {}).wait(); }),
            expected(52 * n, 1));
  EXPECT_EQ(booked([&] { comm->all_gather(buffer(values), buffer(whole)).wait(); }),
            expected(52, 1));
  EXPECT_EQ(booked([&] { comm->broadcast(buffer(values), 0).wait(); }),
            expected(comm->rank() == 0 ? 52 : 0, 1));
  EXPECT_EQ(booked([&] { comm->barrier().wait(); }), expected(0, 1));
  EXPECT_EQ(booked([&] { comm->split(0, 0); }), expected(0, 0));
  const int right = (comm->rank() + 1) % n, left = (comm->rank() + n - 1) % n;
  EXPECT_EQ(booked([&] {
              Request receive = comm->receive(buffer(in), left, 0);
              comm->send(buffer(values), right, 0).wait();
              std::move(receive).wait();
            }),
            expected(52, 2));
}

TEST_F(NcclCommunicator, PollsWhileACallIsInProgress) {
  nccl_double().in_progress = 3;
  const auto comm = make();
  std::vector<float> values{1};
  nccl_double().in_progress = 5;
  comm->all_reduce(buffer(values), Reduce::sum).wait();
  EXPECT_EQ(values[0], comm->size());
  EXPECT_EQ(nccl_double().aborts, 0);
}

TEST_F(NcclCommunicator, AnAsynchronousErrorAbortsTheGroup) {
  const auto comm = make();
  std::vector<float> values{1};
  nccl_double().stuck = true;
  Request request = comm->all_reduce(buffer(values), Reduce::sum);
  nccl_double().asynchronous_error = 6;  // ncclRemoteError
  EXPECT_THAT([&] { std::move(request).wait(); },
              ThrowsMessage<CommError>(AllOf(
                  HasSubstr("all_reduce of 1 x fp32 on rank"), HasSubstr("remote process exited"),
                  HasSubstr("(6, wanted 0)"), HasSubstr("the double's own words"))));
  EXPECT_EQ(nccl_double().aborts, 1);
  EXPECT_THAT([&] { comm->all_reduce(buffer(values), Reduce::sum).wait(); },
              ThrowsMessage<CommError>(HasSubstr("aborted after an earlier failure")));
  nccl_double() = {};
  wait_for_all(vlmark::test::world());
}

TEST_F(NcclCommunicator, ALostRankIsAnErrorOnceThePatienceIsOver) {
  const auto comm = make(0, 0, std::chrono::milliseconds(200));
  std::vector<float> values{1};
  nccl_double().stuck = true;
  Request request = comm->all_reduce(buffer(values), Reduce::sum);
  EXPECT_THAT([&] { std::move(request).wait(); },
              ThrowsMessage<CommError>(
                  AllOf(HasSubstr("not done after 200 ms"), HasSubstr("another rank is lost"))));
  EXPECT_EQ(nccl_double().aborts, 1);
  nccl_double() = {};
  wait_for_all(vlmark::test::world());
}

TEST_F(NcclCommunicator, EndsInOrder) {
  make();
  EXPECT_EQ(nccl_double().destroys, 2);
  EXPECT_EQ(nccl_double().aborts, 0);
}

TEST_F(NcclCommunicator, SaysWhatIsMissingWithoutADriver) {
  nccl_double().no_driver = true;
  EXPECT_THAT([&] { make(); },
              ThrowsMessage<CommError>(AllOf(HasSubstr("cudaErrorInsufficientDriver (35"),
                                             HasSubstr("one working CUDA device for each rank"))));
}

}  // namespace
}  // namespace vlmark::parallel::test
