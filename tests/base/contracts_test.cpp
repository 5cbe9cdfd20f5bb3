#include "src/base/contracts.hpp"

#include <gmock/gmock.h>

#include <stdexcept>

namespace vlmark {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(Contracts, EvaluateTheirConditionOnlyWhereTheyAreOn) {
  int evaluated = 0;
  expects(++evaluated > 0);
  ensures(++evaluated > 0);
#ifdef VLMARK_CONTRACTS
  EXPECT_EQ(evaluated, 2);
#else
  EXPECT_EQ(evaluated, 0);
#endif
}

TEST(Contracts, FailureNamesKindConditionAndPlace) {
  [[maybe_unused]] const int rows = -1;
  const auto precondition = [&] { expects(rows >= 0); };
  const auto internal = [&] { ensures(rows == 3); };
#ifdef VLMARK_CONTRACTS
  EXPECT_THAT(precondition,
              testing::ThrowsMessage<std::logic_error>(AllOf(
                  HasSubstr("precondition failed: rows >= 0"), HasSubstr("contracts_test.cpp:"))));
  EXPECT_THAT(internal, testing::ThrowsMessage<std::logic_error>(
                            HasSubstr("internal check failed: rows == 3")));
#else
  EXPECT_NO_THROW(precondition());
  EXPECT_NO_THROW(internal());
#endif
}

}  // namespace
}  // namespace vlmark
