#include "src/report/verdict.hpp"

#include <gtest/gtest.h>

namespace vlmark::report {
namespace {

TEST(CollectiveCheck, OneWrongElementFails) {
  EXPECT_EQ(collective_check("broadcast i64", 77, 0),
            (io::Verification{"V4", "broadcast i64, 77 elements: wrong", 0, 0, true}));
  EXPECT_FALSE(collective_check("broadcast i64", 77, 1).passed);
}

TEST(ReplicaCheck, OneDifferentReplicaFails) {
  EXPECT_EQ(replica_check("hash of parameters", 4, 0),
            (io::Verification{"V6", "hash of parameters: replicas of 4 that differ", 0, 0, true}));
  EXPECT_FALSE(replica_check("hash of parameters", 4, 1).passed);
}

TEST(FiniteCheck, OneNaNFails) {
  EXPECT_TRUE(finite_check(0).passed);
  EXPECT_FALSE(finite_check(1).passed);
}

TEST(BindingCheck, GatesOfficialRunsAlone) {
  EXPECT_EQ(binding_check(2, 0, 0, "", true),
            (io::Verification{"V9", "of 2 ranks, not bound as planned", 0, 0, true}));
  EXPECT_FALSE(binding_check(4, 1, 0, "rank 3 2 threads on core 0", true).passed);
  const io::Verification quick = binding_check(4, 4, 0, "rank 0 2 threads on core 0", false);
  EXPECT_TRUE(quick.passed);
  EXPECT_EQ(quick.value, 4);
  EXPECT_EQ(quick.item, "of 4 ranks, not bound as planned; rank 0 2 threads on core 0");
}

TEST(BindingCheck, WhereNobodyCanBindIsNotedAndPasses) {
  const io::Verification check = binding_check(4, 0, 4, "", true);
  EXPECT_TRUE(check.passed);
  EXPECT_EQ(check.value, 4);
  EXPECT_FALSE(binding_check(4, 1, 2, "", true).passed);
}

}  // namespace
}  // namespace vlmark::report
