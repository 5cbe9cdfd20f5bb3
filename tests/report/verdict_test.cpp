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

}  // namespace
}  // namespace vlmark::report
