#include "parallel/communicator.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "parallel/scalars.hpp"
#include "src/base/counters.hpp"
#include "src/base/error.hpp"
#include "tests/parallel/groups.hpp"

namespace vlmark::parallel::test {
namespace {

class Collectives : public EveryGroup {};

/// What rank r contributes at element i; small integers, exact in every type.
int x(int r, std::size_t i) { return static_cast<int>(i % 5) * (r + 1) + r % 3; }

int reduced(Reduce op, int ranks, std::size_t i) {
  int result = x(0, i);
  for (int r = 1; r < ranks; ++r)
    result = op == Reduce::sum   ? result + x(r, i)
             : op == Reduce::max ? std::max(result, x(r, i))
                                 : std::min(result, x(r, i));
  return result;
}

template <class T>
std::vector<T> contribution(int rank, std::size_t count) {
  std::vector<T> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<T>(x(rank, i));
  return values;
}

template <class T>
void check_all_reduce(Communicator& comm, const std::vector<std::size_t>& counts, Reduce op) {
  for (const std::size_t count : counts) {
    auto values = contribution<T>(comm.rank(), count);
    comm.all_reduce(buffer(values), op).wait();
    for (std::size_t i = 0; i < count; ++i)
      ASSERT_EQ(values[i], static_cast<T>(reduced(op, comm.size(), i))) << "element " << i;
  }
}

TEST_P(Collectives, AllReduceOfEveryTypeAndOperation) {
  for (const Reduce op : {Reduce::sum, Reduce::max, Reduce::min}) {
    check_all_reduce<float>(*comm_, counts_, op);
    check_all_reduce<double>(*comm_, counts_, op);
    check_all_reduce<std::int32_t>(*comm_, counts_, op);
    check_all_reduce<std::int64_t>(*comm_, counts_, op);
    check_all_reduce<std::uint8_t>(*comm_, counts_, op);
  }
}

TEST_P(Collectives, ReduceScatterGivesEachRankItsSlice) {
  for (const std::size_t count : counts_) {
    const auto in = contribution<float>(rank_, count * size_);
    std::vector<float> out(count, -1);
    comm_->reduce_scatter(buffer(in), buffer(out), Reduce::sum).wait();
    EXPECT_EQ(in, contribution<float>(rank_, count * size_));
    for (std::size_t i = 0; i < count; ++i)
      ASSERT_EQ(out[i], reduced(Reduce::sum, size_, rank_ * count + i)) << "element " << i;
  }
}

TEST_P(Collectives, ReduceScatterInPlaceChangesOnlyTheOwnSlice) {
  for (const std::size_t count : counts_) {
    auto values = contribution<double>(rank_, count * size_);
    comm_->reduce_scatter(buffer(values), buffer(values.data() + rank_ * count, count), Reduce::max)
        .wait();
    for (std::size_t i = 0; i < values.size(); ++i)
      ASSERT_EQ(values[i],
                static_cast<int>(i / count) == rank_ ? reduced(Reduce::max, size_, i) : x(rank_, i))
          << "element " << i;
  }
}

template <class T>
void check_all_gather(Communicator& comm, const std::vector<std::size_t>& counts, bool in_place) {
  for (const std::size_t count : counts) {
    const auto mine = contribution<T>(comm.rank(), count);
    std::vector<T> all(count * comm.size(), T(99));
    T* const slice = all.data() + comm.rank() * count;
    if (in_place) std::copy(mine.begin(), mine.end(), slice);
    comm.all_gather(in_place ? buffer(slice, count) : buffer(mine), buffer(all)).wait();
    for (std::size_t i = 0; i < all.size(); ++i)
      ASSERT_EQ(all[i], static_cast<T>(x(static_cast<int>(i / count), i % count)))
          << "element " << i;
  }
}

TEST_P(Collectives, AllGatherApartAndInPlace) {
  for (const bool in_place : {false, true}) {
    check_all_gather<float>(*comm_, counts_, in_place);
    check_all_gather<std::int64_t>(*comm_, counts_, in_place);
    check_all_gather<std::uint8_t>(*comm_, counts_, in_place);
  }
}

TEST_P(Collectives, Bf16IsMovedAndNeverReduced) {
  std::vector<bf16> mine(5, to_bf16(1.5f * static_cast<float>(rank_)));
  std::vector<bf16> all(5 * size_);
  comm_->all_gather(buffer(mine), buffer(all)).wait();
  for (std::size_t i = 0; i < all.size(); ++i)
    EXPECT_EQ(widen(all[i]), 1.5f * static_cast<float>(i / 5));
  const auto sum = [&] { comm_->all_reduce(buffer(mine), Reduce::sum).wait(); };
  EXPECT_THAT(sum, testing::ThrowsMessage<CommError>(testing::HasSubstr("sum of bf16")));
  const auto scatter = [&] {
    comm_->reduce_scatter(buffer(all), buffer(mine), Reduce::max).wait();
  };
  EXPECT_THROW(scatter(), CommError);
}

TEST_P(Collectives, BroadcastFromEveryRoot) {
  for (int root = 0; root < size_; ++root)
    for (const std::size_t count : counts_) {
      auto values = contribution<std::int32_t>(rank_, count);
      comm_->broadcast(buffer(values), root).wait();
      ASSERT_EQ(values, contribution<std::int32_t>(root, count));
    }
}

TEST_P(Collectives, ManyAreInFlightAtOnce) {
  auto sums = contribution<float>(rank_, 1023);
  auto maxima = contribution<double>(rank_, 2049);
  std::vector<float> all(1023 * size_);
  const auto mine = contribution<float>(rank_, 1023);
  Request first = comm_->all_reduce(buffer(sums), Reduce::sum);
  Request second = comm_->all_reduce(buffer(maxima), Reduce::max);
  Request third = comm_->all_gather(buffer(mine), buffer(all));
  std::move(third).wait();  // in another order on purpose
  std::move(first).wait();
  std::move(second).wait();
  EXPECT_EQ(sums[7], reduced(Reduce::sum, size_, 7));
  EXPECT_EQ(maxima[2048], reduced(Reduce::max, size_, 2048));
  EXPECT_EQ(all.back(), x(size_ - 1, 1022));
}

TEST_P(Collectives, ScalarsAreOneCall) {
  EXPECT_EQ(all_reduce_sum(*comm_, rank_ + 0.5), size_ * (size_ - 1) / 2.0 + 0.5 * size_);
  EXPECT_EQ(all_reduce_max(*comm_, std::int64_t{rank_}), size_ - 1);
  EXPECT_EQ(all_reduce_min(*comm_, -1.0 * rank_), 1.0 - size_);
  EXPECT_EQ(broadcast_value(*comm_, std::int64_t{rank_} + 7, size_ - 1), size_ + 6);
  wait_for_all(*comm_);
  const std::uint64_t hash = 0xfedcba9876543210;
  EXPECT_TRUE(same_on_all_ranks(*comm_, hash));
  EXPECT_EQ(same_on_all_ranks(*comm_, rank_ == size_ - 1 ? hash ^ 1 : hash), size_ == 1);
}

TEST_P(Collectives, RefusesCountsTypesAndOverlapsThatDoNotFit) {
  std::vector<float> whole(4 * size_ + 1), slice(4);
  std::vector<double> other(4);
  const Buffer all = buffer(whole.data(), 4 * size_);
  EXPECT_THROW((void)comm_->all_gather(buffer(slice), buffer(whole)), ShapeError);
  EXPECT_THROW((void)comm_->all_gather(buffer(other), all), ShapeError);
  EXPECT_THROW((void)comm_->all_gather(buffer(whole.data() + 4 * rank_ + 1, 4), all), ValueError);
  EXPECT_THROW((void)comm_->reduce_scatter(buffer(whole), buffer(slice), Reduce::sum), ShapeError);
  EXPECT_THROW((void)comm_->broadcast(buffer(slice), size_), ValueError);
  EXPECT_THROW((void)comm_->broadcast(Buffer{.data = nullptr, .count = 4}, 0), ValueError);
  EXPECT_THROW((void)comm_->all_reduce(Buffer{.data = &slice[0], .count = 4, .queue = &other}, {}),
               CommError);
  EXPECT_THROW((void)comm_->split(-1, 0), ValueError);
  wait_for_all(*comm_);
}

TEST_P(Collectives, OwnerLivesUntilWait) {
  auto owner = std::make_shared<std::vector<float>>(contribution<float>(rank_, 1023));
  const std::weak_ptr<std::vector<float>> watch = owner;
  Buffer values = buffer(*owner);
  values.owner = std::move(owner);
  Request request = comm_->all_reduce(std::move(values), Reduce::sum);
  EXPECT_EQ(watch.expired(), size_ == 1);  // one rank is done at once
  std::move(request).wait();
  EXPECT_TRUE(watch.expired());
}

INSTANTIATE_TEST_SUITE_P(Groups, Collectives, kEveryGroup, name_of_group);

TEST(Split, OrdersByKeyThenRank) {
  Communicator& world = vlmark::test::world();
  const auto reversed = world.split(3, -world.rank());
  EXPECT_EQ(reversed->size(), world.size());
  EXPECT_EQ(reversed->rank(), world.size() - 1 - world.rank());
  const auto pairs = world.split(world.rank() / 2, 0);
  EXPECT_EQ(pairs->rank(), world.rank() % 2);
  const auto alone = pairs->split(pairs->rank(), 0);
  EXPECT_EQ(alone->size(), 1);
  EXPECT_FALSE(world.host().empty());
}

TEST(Split, HandleReachesMpiOnlyWhereThereIsOne) {
  Communicator& world = vlmark::test::world();
  EXPECT_NO_THROW(fortran_handle(world));
  EXPECT_NO_THROW(fortran_handle(*world.split(world.rank(), 0)));
}

/// The table in communicator.hpp, as formulas.
TEST(Booking, FollowsTheStatedFormulas) {
  const auto comm = mpi_world(kPieceBytes);  // six floats a piece
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
  std::vector<float> values(13), whole(13 * n), few(1), few_whole(n);
  EXPECT_EQ(booked([&] { comm->all_reduce(buffer(values), Reduce::sum).wait(); }), expected(52, 3));
  EXPECT_EQ(booked([&] { comm->all_reduce(Buffer{}, Reduce::sum).wait(); }), expected(0, 1));
  EXPECT_EQ(booked([&] { comm->reduce_scatter(buffer(whole), buffer(values), {}).wait(); }),
            expected(52 * n, 3 * n));
  EXPECT_EQ(booked([&] { comm->all_gather(buffer(values), buffer(whole)).wait(); }),
            expected(52, 3));
  if (n <= 6) {
    EXPECT_EQ(booked([&] { comm->reduce_scatter(buffer(few_whole), buffer(few), {}).wait(); }),
              expected(4 * n, 1));
    EXPECT_EQ(booked([&] { comm->all_gather(buffer(few), buffer(few_whole)).wait(); }),
              expected(4, 1));
  }
  EXPECT_EQ(booked([&] { comm->broadcast(buffer(values), 0).wait(); }),
            expected(comm->rank() == 0 ? 52 : 0, 3));
  EXPECT_EQ(booked([&] { comm->barrier().wait(); }), expected(0, 1));
  const int right = (comm->rank() + 1) % n, left = (comm->rank() + n - 1) % n;
  EXPECT_EQ(booked([&] {
              std::vector<float> in(13);
              Request receive = comm->receive(buffer(in), left, 0);
              comm->send(buffer(values), right, 0).wait();
              std::move(receive).wait();
            }),
            expected(52, 6));
}

}  // namespace
}  // namespace vlmark::parallel::test
