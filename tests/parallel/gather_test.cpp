#include "parallel/gather.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "src/base/counters.hpp"
#include "src/base/error.hpp"
#include "tests/parallel/groups.hpp"

namespace vlmark::parallel::test {
namespace {

class Gather : public EveryGroup {};

/// Of very different length by rank; rank 1 has none.
std::string text_of(int rank) {
  return rank == 1 ? "" : "rank " + std::to_string(rank) + std::string(rank * rank * 50, 'x');
}

std::vector<std::string> all_texts(int size) {
  std::vector<std::string> texts;
  for (int rank = 0; rank < size; ++rank) texts.push_back(text_of(rank));
  return texts;
}

TEST_P(Gather, StringsToAllAndToEachRoot) {
  EXPECT_EQ(all_gather_strings(*comm_, text_of(rank_)), all_texts(size_));
  for (int root = 0; root < size_; ++root) {
    const auto gathered = gather_strings(*comm_, text_of(rank_), root);
    EXPECT_EQ(gathered, rank_ == root ? all_texts(size_) : std::vector<std::string>{});
  }
}

TEST_P(Gather, NothingFromAnyRankIsLegal) {
  EXPECT_EQ(all_gather_strings(*comm_, ""), std::vector<std::string>(size_));
  EXPECT_EQ(gather_strings(*comm_, "").size(), rank_ == 0 ? size_ : 0);
  EXPECT_EQ(broadcast_string(*comm_, ""), "");
}

TEST_P(Gather, BytesKeepEveryValue) {
  Bytes mine;
  for (int i = 0; i < 256; ++i) mine.push_back(static_cast<std::byte>(i ^ rank_));
  const std::vector<Bytes> all = all_gather_bytes(*comm_, mine);
  for (int rank = 0; rank < size_; ++rank)
    for (int i = 0; i < 256; ++i) ASSERT_EQ(all[rank][i], static_cast<std::byte>(i ^ rank));
}

TEST_P(Gather, BroadcastsStringsOfUnknownLength) {
  for (int root = 0; root < size_; ++root)
    EXPECT_EQ(broadcast_string(*comm_, text_of(rank_), root), text_of(root));
}

/// Rank i sends (i * j) % 4 bytes to rank j: some nothing, one's own included.
TEST_P(Gather, ExchangeOfUnevenMessages) {
  const auto message = [](int from, int to) {
    return Bytes(static_cast<std::size_t>(from * to) % 4 * 97,
                 static_cast<std::byte>(16 * from + to));
  };
  std::vector<Bytes> outgoing;
  for (int to = 0; to < size_; ++to) outgoing.push_back(message(rank_, to));
  const std::vector<Bytes> arrived = exchange_bytes(*comm_, outgoing);
  ASSERT_EQ(arrived.size(), static_cast<std::size_t>(size_));
  for (int from = 0; from < size_; ++from) EXPECT_EQ(arrived[from], message(from, rank_));
}

TEST_P(Gather, ExchangeBooksWhatLeavesTheRank) {
  std::vector<float> out(3 * size_), in(3 * size_);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<float>(100 * rank_ + i);
  std::vector<ConstBuffer> outgoing;
  std::vector<Buffer> incoming;
  for (int peer = 0; peer < size_; ++peer) {
    outgoing.push_back(buffer(out.data() + 3 * peer, 3));
    incoming.push_back(buffer(in.data() + 3 * peer, 3));
  }
  const std::uint64_t before = counters().sent_bytes;
  exchange(*comm_, outgoing, incoming);
  EXPECT_EQ(counters().sent_bytes - before, 12u * (size_ - 1));
  for (int peer = 0; peer < size_; ++peer) EXPECT_EQ(in[3 * peer + 1], 100 * peer + 3 * rank_ + 1);
}

TEST_P(Gather, ExchangeRefusesAnotherNumberOfEntries) {
  const std::vector<Bytes> outgoing(size_ + 1);
  EXPECT_THROW(exchange_bytes(*comm_, outgoing), ShapeError);
  EXPECT_THROW(exchange(*comm_, {}, {}), ShapeError);
}

INSTANTIATE_TEST_SUITE_P(Groups, Gather, kEveryGroup, name_of_group);

}  // namespace
}  // namespace vlmark::parallel::test
