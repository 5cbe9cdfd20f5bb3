#include "parallel/check_collectives.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "src/base/error.hpp"
#include "tests/support/mpi_world.hpp"

namespace vlmark::parallel::test {
namespace {

using vlmark::test::world;

enum class Fault { none, all_reduce, reduce_scatter, all_gather, broadcast, receive, lost };

/// Forwards everything to `world` and flips one bit of one element of one result, on the last rank
/// only, as a faulty network card would.
class Corrupting : public Communicator {
 public:
  Corrupting(Communicator& inner, Fault fault, std::size_t at_least)
      : inner_(inner), fault_(fault), at_least_(at_least) {}
  int rank() const noexcept override { return inner_.rank(); }
  int size() const noexcept override { return inner_.size(); }
  Request all_reduce(Buffer b, Reduce op) override {
    return corrupted(Fault::all_reduce, b, inner_.all_reduce(b, op));
  }
  Request reduce_scatter(ConstBuffer in, Buffer out, Reduce op) override {
    return corrupted(Fault::reduce_scatter, out, inner_.reduce_scatter(in, out, op));
  }
  Request all_gather(ConstBuffer in, Buffer out) override {
    if (fault_ == Fault::lost && rank() == size() - 1 && out.count >= at_least_) {
      std::vector<std::byte> nowhere(out.bytes());  // the result never arrives in `out`
      out.data = nowhere.data();
      inner_.all_gather(in, out).wait();
      return completed();
    }
    return corrupted(Fault::all_gather, out, inner_.all_gather(in, out));
  }
  Request broadcast(Buffer b, int root) override {
    return corrupted(Fault::broadcast, b, inner_.broadcast(b, root));
  }
  Request send(ConstBuffer in, int to, int tag) override { return inner_.send(in, to, tag); }
  Request receive(Buffer out, int from, int tag) override {
    return corrupted(Fault::receive, out, inner_.receive(out, from, tag));
  }
  Request barrier() override { return inner_.barrier(); }
  std::unique_ptr<Communicator> split(int color, int key) override {
    return inner_.split(color, key);
  }

 private:
  class CorruptingOperation : public Operation {
   public:
    CorruptingOperation(Request inner, Buffer out)
        : Operation("corrupting"), inner_(std::move(inner)), out_(out) {}
    void wait() override {
      std::move(inner_).wait();
      static_cast<std::uint8_t*>(out_.data)[out_.bytes() / 2] ^= 1;
      complete_ = true;
    }

   private:
    Request inner_;
    Buffer out_;
  };

  Request corrupted(Fault fault, const Buffer& out, Request request) {
    if (fault != fault_ || rank() != size() - 1 || out.count < at_least_) return request;
    return Request(std::make_unique<CorruptingOperation>(std::move(request), out));
  }

  Communicator& inner_;
  Fault fault_;
  std::size_t at_least_;
};

TEST(CheckCollectives, AHealthyGroupHasNoWrongElement) {
  const auto checks = check_collectives(world());
  EXPECT_EQ(checks.size(), kCheckedSizes.size() * 10);
  for (const CollectiveCheck& check : checks) {
    EXPECT_EQ(check.wrong, 0u) << check.item << " of " << check.elements;
    EXPECT_GT(check.elements, 0u);
  }
}

TEST(CheckCollectives, SplitGroupsAreCheckedApart) {
  const auto group = world().split(world().rank() % 3 == 0, world().rank());
  for (const CollectiveCheck& check : check_collectives(*group, {5, 129}))
    EXPECT_EQ(check.wrong, 0u) << check.item;
}

/// One flipped bit in messages of at least `at_least` elements must show under the name of the
/// collective and nowhere below that size.
void expect_found(Fault fault, const std::string& name, std::size_t at_least) {
  Corrupting comm(world(), fault, at_least);
  std::uint64_t found = 0;
  for (const CollectiveCheck& check : check_collectives(comm)) {
    if (check.item.rfind(name, 0) == 0)
      found += check.wrong;
    else
      EXPECT_EQ(check.wrong, 0u) << check.item;
  }
  // Ranks that saw nothing must hear of it too.
  EXPECT_GE(found, 2u) << name;  // two element types
}

TEST(CheckCollectives, FindsOneFlippedBitInEachCollective) {
  expect_found(Fault::all_reduce, "all_reduce", 1023);
  expect_found(Fault::reduce_scatter, "reduce_scatter", 100);
  expect_found(Fault::all_gather, "all_gather", 1023);
  expect_found(Fault::broadcast, "broadcast", 65537);
  expect_found(Fault::receive, "exchange", 3);
}

TEST(CheckCollectives, FindsAMessageThatNeverArrived) {
  expect_found(Fault::lost, "all_gather", 65537);
}

}  // namespace
}  // namespace vlmark::parallel::test
