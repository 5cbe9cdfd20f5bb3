#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "parallel/scalars.hpp"
#include "src/base/error.hpp"
#include "tests/parallel/groups.hpp"
#include "tests/support/mpi_requests.hpp"

namespace vlmark::parallel::test {
namespace {

class PointToPoint : public EveryGroup {
 protected:
  const int right_ = (rank_ + 1) % size_;
  const int left_ = (rank_ + size_ - 1) % size_;
};

TEST_P(PointToPoint, RingOfEverySize) {
  for (const std::size_t count : counts_) {
    std::vector<std::int64_t> out(count), in(count, -1), expected(count);
    std::iota(out.begin(), out.end(), 1000 * rank_);
    std::iota(expected.begin(), expected.end(), 1000 * left_);
    Request receive = comm_->receive(buffer(in), left_, 3);
    Request send = comm_->send(buffer(std::as_const(out)), right_, 3);
    std::move(receive).wait();
    std::move(send).wait();
    ASSERT_EQ(in, expected);
  }
}

TEST_P(PointToPoint, TagsKeepMessagesApartAndInOrder) {
  const std::vector<float> a = {1}, b = {2}, c = {3};
  float first = 0, second = 0, other = 0;
  Request sends[] = {comm_->send(buffer(a), right_, 7), comm_->send(buffer(b), right_, 7),
                     comm_->send(buffer(c), right_, 8)};
  comm_->receive(buffer(&other, 1), left_, 8).wait();
  Request one = comm_->receive(buffer(&first, 1), left_, 7);
  Request two = comm_->receive(buffer(&second, 1), left_, 7);
  std::move(two).wait();
  std::move(one).wait();
  for (Request& send : sends) std::move(send).wait();
  EXPECT_EQ(first, 1);
  EXPECT_EQ(second, 2);
  EXPECT_EQ(other, 3);
}

TEST_P(PointToPoint, AMessageOfAnotherLengthIsAnError) {
  const std::vector<float> out(3);
  std::vector<float> in(4);
  Request send = comm_->send(buffer(out), right_, 1);
  const auto receive = [&] { comm_->receive(buffer(in), left_, 1).wait(); };
  EXPECT_THAT(receive, testing::ThrowsMessage<CommError>(testing::HasSubstr("expected")));
  std::move(send).wait();
  wait_for_all(*comm_);
}

TEST_P(PointToPoint, RefusesRanksAndTagsOutOfRange) {
  float value = 0;
  const Buffer one = buffer(&value, 1);
  EXPECT_THROW((void)comm_->send(one, size_, 0), ValueError);
  EXPECT_THROW((void)comm_->receive(one, -1, 0), ValueError);
  EXPECT_THROW((void)comm_->send(one, 0, -1), ValueError);
  EXPECT_THROW((void)comm_->receive(one, 0, kMaxTag + 1), ValueError);
}

INSTANTIATE_TEST_SUITE_P(Groups, PointToPoint, kEveryGroup, name_of_group);

TEST(Request, WaitingTwiceIsADefect) {
  Communicator& world = vlmark::test::world();
  Request request = world.barrier();
  std::move(request).wait();
  EXPECT_THROW(std::move(request).wait(), std::logic_error);
}

TEST(Request, MayBeDroppedWhileAnExceptionUnwinds) {
  Communicator& world = vlmark::test::world();
  static float in, out;  // outlive the operations
  const int self = world.rank();
  const auto throws = [&] {
    Request receive = world.receive(buffer(&in, 1), self, 9);
    throw IoError("the cause");
  };
  EXPECT_THAT(throws, testing::ThrowsMessage<IoError>("the cause"));
  if (world.size() > 1) vlmark::test::forget_mpi_request();
  world.send(buffer(&out, 1), self, 9).wait();
}

TEST(SelfReceive, WithoutASendIsAnErrorInsteadOfAHang) {
  Communicator& world = vlmark::test::world();
  const auto alone = world.split(world.rank(), 0);
  float value = 0;
  const auto receive = [&] { alone->receive(buffer(&value, 1), 0, 5).wait(); };
  EXPECT_THAT(receive, testing::ThrowsMessage<CommError>(testing::HasSubstr("nothing was sent")));
}

}  // namespace
}  // namespace vlmark::parallel::test
