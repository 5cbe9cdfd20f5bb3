#include "src/base/memory.hpp"

#include <gtest/gtest.h>

#include <fstream>

namespace vlmark {
namespace {

/// A file system of a node with 64 GiB available, in which this process stands in a control group.
class Node : public testing::Test {
 protected:
  void SetUp() override {
    root_ = std::filesystem::path(testing::TempDir()) /
            testing::UnitTest::GetInstance()->current_test_info()->name();
    write("proc/meminfo", "MemTotal:  99999999 kB\nMemAvailable:   67108864 kB\n");
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  void write(const std::string& file, const std::string& text) {
    std::filesystem::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
  }
  std::int64_t gibibytes() const { return available_bytes(root_) >> 30; }

  std::filesystem::path root_;
};

TEST_F(Node, WithoutGroupsHasWhatTheSystemSays) { EXPECT_EQ(gibibytes(), 64); }

TEST_F(Node, UnknownIsZero) {
  std::filesystem::remove_all(root_ / "proc");
  EXPECT_EQ(gibibytes(), 0);
}

TEST_F(Node, TheTightestOfAllGroupsAroundDecides) {
  write("proc/self/cgroup", "0::/slurm/job_1/step_0\n");
  const std::string slurm = "sys/fs/cgroup/slurm/";
  write(slurm + "job_1/step_0/memory.max", "max\n");
  write(slurm + "job_1/step_0/memory.current", "1000\n");
  EXPECT_EQ(gibibytes(), 64);
  write(slurm + "job_1/memory.max", "8589934592\n");      // 8 GiB
  write(slurm + "job_1/memory.current", "4294967296\n");  // 4 GiB
  write(slurm + "job_1/memory.stat", "anon 7\ninactive_file 1073741824\n");
  EXPECT_EQ(gibibytes(), 5);
  write(slurm + "memory.max", "2147483648\n");
  write(slurm + "memory.current", "3221225472\n");
  EXPECT_EQ(gibibytes(), 0);
}

TEST_F(Node, ReadsTheFirstVersionOfGroups) {
  write("proc/self/cgroup", "5:cpuset:/x\n4:cpu,memory:/job\n0::/\n");
  write("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "17179869184\n");
  write("sys/fs/cgroup/memory/job/memory.usage_in_bytes", "1073741824\n");
  EXPECT_EQ(gibibytes(), 15);
}

TEST_F(Node, GroupsWithoutALimitAreNone) {
  write("proc/self/cgroup", "4:memory:/job\n0::/\n");
  const std::string job = "sys/fs/cgroup/memory/job/";
  write(job + "memory.limit_in_bytes", "9223372036854771712\n");
  write(job + "memory.usage_in_bytes", "1073741824\n");
  EXPECT_FALSE(group_memory(root_).has_value());
  EXPECT_EQ(gibibytes(), 64);
  write(job + "memory.limit_in_bytes", "4294967296\n");
  const auto group = group_memory(root_);
  ASSERT_TRUE(group.has_value());
  EXPECT_EQ(group->version, 1);
  EXPECT_EQ(group->limit, std::int64_t{4} << 30);
  EXPECT_EQ(group->left, std::int64_t{3} << 30);
}

TEST(Memory, ThisProcessHasSome) {
  EXPECT_GT(peak_resident_bytes(), 1 << 20);
  EXPECT_GT(resident_bytes(), 1 << 20);
  EXPECT_LE(resident_bytes(), peak_resident_bytes());
}

}  // namespace
}  // namespace vlmark
