#include "parallel/agree.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "parallel/phase.hpp"
#include "src/base/error.hpp"
#include "tests/support/mpi_world.hpp"

namespace vlmark::parallel::test {
namespace {

using vlmark::test::world;

/// The error `agree` throws for `work`, which must fail on some rank.
template <class Work>
std::pair<std::string, ExitCode> agreed(Work work) {
  try {
    agree(world(), "test", work);
  } catch (const AgreedError& e) {
    return {e.what(), e.exit_code()};
  }
  return {"no error", ExitCode::ok};
}

TEST(Agree, ReturnsWhatEachRankMade) {
  set_phase("before");
  const int rank = world().rank();
  EXPECT_EQ(agree(world(), "test", [&] { return rank * 2; }), rank * 2);
  const auto moved = agree(world(), "test", [&] { return std::make_unique<int>(rank); });
  EXPECT_EQ(*moved, rank);
  agree(world(), "load", [] { EXPECT_EQ(phase(), "load"); });
  EXPECT_EQ(phase(), "before");
}

TEST(Agree, OneRankFailsAndAllThrowItsError) {
  for (int bad = 0; bad < world().size(); ++bad) {
    const auto [text, code] = agreed([&] {
      if (world().rank() == bad) throw IoError("shard 3: cannot be read");
    });
    const std::string prefix = world().size() == 1 ? "" : "rank " + std::to_string(bad) + ": ";
    EXPECT_EQ(text, prefix + "shard 3: cannot be read");
    EXPECT_EQ(code, ExitCode::io);
  }
}

TEST(Agree, TheLowestFailingRankSpeaks) {
  const auto [text, code] = agreed([] {
    if (world().rank() > 0 || world().size() == 1)
      throw ConfigError("rank-dependent text " + std::to_string(world().rank()));
  });
  EXPECT_EQ(text, world().size() == 1 ? "rank-dependent text 0" : "rank 1: rank-dependent text 1");
  EXPECT_EQ(code, ExitCode::usage);
}

TEST(Agree, TheSameFailureEverywhereNamesNoRank) {
  const auto [text, code] = agreed([] { throw ConfigError("config: unknown key 'x'"); });
  EXPECT_EQ(text, "config: unknown key 'x'");
  EXPECT_EQ(code, ExitCode::usage);
}

TEST(Agree, OtherExceptionsAreInternalErrors) {
  const auto [text, code] = agreed([] { throw std::runtime_error(""); });
  EXPECT_EQ(text, "");
  EXPECT_EQ(code, ExitCode::internal);
}

TEST(Agree, NestsWithoutASecondPrefix) {
  const auto [text, code] = agreed([] {
    agree(world(), "inner", [] {
      if (world().rank() == world().size() - 1) throw IoError("gone");
    });
  });
  const int last = world().size() - 1;
  EXPECT_EQ(text, last == 0 ? "gone" : "rank " + std::to_string(last) + ": gone");
  EXPECT_EQ(code, ExitCode::io);
}

}  // namespace
}  // namespace vlmark::parallel::test
