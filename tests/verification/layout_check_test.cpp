#include "src/verification/layout_check.hpp"

#include <gtest/gtest.h>

#include "src/base/fault.hpp"
#include "tests/engine/small_model.hpp"
#include "tests/support/mpi_world.hpp"

namespace vlmark::test {
namespace {

using verification::check_layout;
using verification::Finding;

model::TrainingSettings settings_of(const std::string& layout, DType type, bool deterministic) {
  model::TrainingSettings s;
  s.type = type;
  s.deterministic = deterministic;
  s.layout = plan::parse_layout(layout);
  s.segments = 2;
  s.bucket_elements = 4096;
  s.overlap = {.reduce = true, .gather = true, .early_messages = true};
  return s;
}

/// Of every size from 2 to 8 that a test is started with; tp4 replicates the two key/value heads.
std::vector<std::string> layouts() {
  std::vector<std::string> found;
  for (const char* layout :
       {"dp2", "tp2", "pp2", "pp2.v2", "dp3", "pp3", "dp4", "tp4", "pp4", "dp2.tp2", "dp2.pp2",
        "tp2.pp2", "dp3.pp2", "dp3.tp2", "dp2.tp2.pp2", "tp4.pp2", "pp2.v2.dp2", "pp2.v2.n3.tp2"})
    if (plan::parse_layout(layout).ranks() == world().size()) found.emplace_back(layout);
  return found;
}

TEST(CheckLayout, AHealthyLayoutHasEveryStepOfOneRank) {
  for (const std::string& layout : layouts())
    for (const DType type : {DType::f32, DType::bf16})
      for (const bool deterministic : {true, false}) {
        const auto settings = settings_of(layout, type, deterministic);
        const auto found = check_layout(settings, small_model(), world());
        const bool exact = deterministic && settings.layout.tensor == 1;
        EXPECT_EQ(found.size(), exact ? 4u : 3u);
        for (const Finding& f : found) {
          EXPECT_LE(f.check.value, 0.5 * f.check.limit)
              << f.check.item << ": " << f.check.value << ", limit " << f.check.limit << ", "
              << name_of(type) << (deterministic ? "" : ", fast");
          EXPECT_EQ(f.check.limit == 0, exact || f.check.rule == "V6") << f.key;
        }
      }
}

TEST(CheckLayout, OneRankHasNothingToCompare) {
  if (world().size() > 1) GTEST_SKIP() << "for one rank";
  EXPECT_TRUE(check_layout(settings_of("dp1", DType::f32, true), small_model(), world()).empty());
}

TEST(CheckLayout, WhatIsLostBetweenRanksIsSeen) {
  for (const std::string& layout : layouts())
    for (const DType type : {DType::f32, DType::bf16})
      for (const Fault fault : {Fault::lost_partial_sum, Fault::lost_message}) {
        const auto settings = settings_of(layout, type, true);
        const bool there =
            (fault == Fault::lost_message ? settings.layout.pipeline : settings.layout.tensor) > 1;
        plant_fault(fault);
        const auto found = check_layout(settings, small_model(), world());
        plant_fault(Fault::none);
        for (const Finding& f : found) {
          if (f.check.rule != "V5") continue;
          EXPECT_EQ(f.check.passed, !there) << f.check.item << ": " << f.check.value << ", limit "
                                            << f.check.limit << ", " << name_of(fault);
        }
      }
}

}  // namespace
}  // namespace vlmark::test
