#include "kernels/embedding.hpp"

#include <gmock/gmock.h>

#include "kernels/reference/embedding.hpp"
#include "tests/kernels/view_data.hpp"
#include "tests/support/expect_close.hpp"
#include "tests/support/random_data.hpp"

namespace vlmark::test {
namespace {

namespace reference = kernels::reference;

TEST(SortedOrder, IsStableAndLeavesOutNegativeIds) {
  using testing::ElementsAre;
  const std::vector<int> ids{5, 2, -1, 5, 0, 2, 5};
  EXPECT_THAT(kernels::sorted_order(ids), ElementsAre(4, 1, 5, 0, 3, 6));
  EXPECT_THAT(kernels::sorted_order(std::vector<int>{}), ElementsAre());
}

struct Case {
  int tokens, vocab, hidden;
};

template <class T>
void check(Case c) {
  const auto ids = integers(c.tokens, 1, c.vocab);
  const auto table = to_view<T>(gaussian(c.vocab * c.hidden, 2), c.vocab, c.hidden);
  const Mat<T> y("y", c.tokens, c.hidden);
  kernels::embedding_gather(Exec{}, to_view(ids), table, y);
  EXPECT_EQ(to_host(y), reference::embedding_gather(ids, to_host(table), c.hidden));

  auto masked = ids;  // every fourth token sends no gradient
  for (std::size_t t = 0; t < masked.size(); t += 4) masked[t] = -1;
  const auto dy = to_view<T>(gaussian(c.tokens * c.hidden, 3), c.tokens, c.hidden);
  const auto start = gaussian(c.vocab * c.hidden, 4);
  const auto d_table = to_view<float>(start, c.vocab, c.hidden);
  kernels::embedding_scatter_add(Exec{}, dy, to_view(kernels::sorted_order(masked)),
                                 to_view(masked), d_table);
  std::vector<float> serial = start;
  const auto dys = on_host(dy);
  for (int t = 0; t < c.tokens; ++t)
    for (int h = 0; masked[t] >= 0 && h < c.hidden; ++h)
      serial[masked[t] * c.hidden + h] += widen(dys(t, h));
  EXPECT_EQ(to_host(d_table), to_double(serial));  // the same additions in the same order

  // A chain of at most tokens + 1 additions (Higham 2002, eq. 4.4).
  auto expected = reference::embedding_scatter_add(to_host(dy), masked, c.vocab, c.hidden);
  for (std::size_t i = 0; i < expected.size(); ++i) expected[i] += start[i];
  EXPECT_TRUE(
      close(to_host(d_table), expected, 0, (c.tokens + 1) * kRoundoff<float> * (c.tokens + 1) * 5));
}

class Embedding : public testing::TestWithParam<Case> {};
TEST_P(Embedding, MatchesReferenceAndSerialLoopInFloat) { check<float>(GetParam()); }
TEST_P(Embedding, MatchesReferenceAndSerialLoopInBf16) { check<bf16>(GetParam()); }
INSTANTIATE_TEST_SUITE_P(Shapes, Embedding,
                         testing::Values(Case{0, 5, 8}, Case{1, 1, 1}, Case{7, 3, 5},
                                         Case{200, 10, 33}, Case{50, 400, 260}));

TEST(EmbeddingErrors, NameTheArgument) {
  const Mat<float> table("table", 5, 8), y("y", 2, 7);
  const auto ids = to_view(std::vector<int>{0, 4});
  using testing::HasSubstr;
  using testing::ThrowsMessage;
  EXPECT_THAT([&] { kernels::embedding_gather(Exec{}, ids, table, y); },
              ThrowsMessage<ShapeError>(
                  HasSubstr("embedding_gather: argument 'y' has shape [2, 7] (expected [2, 8])")));
  EXPECT_THAT([&] { kernels::embedding_scatter_add(Exec{}, y, ids, ids, table); },
              ThrowsMessage<ShapeError>(HasSubstr("argument 'd_table'")));
#ifdef VLMARK_CONTRACTS
  const Mat<float> right("right", 2, 8);
  EXPECT_THROW(kernels::embedding_gather(Exec{}, to_view(std::vector<int>{0, 5}), table, right),
               std::logic_error);
#endif
}

}  // namespace
}  // namespace vlmark::test
