#include "src/doctor/machine_checks.hpp"

#include <gmock/gmock.h>

#include <fstream>

namespace vlmark::doctor {
namespace {

using testing::HasSubstr;

/// A file system that says what a test wants of a machine.
class Machine : public testing::Test {
 protected:
  void SetUp() override {
    root_ =
        std::filesystem::path(testing::TempDir()) /
        (std::string("machine-") + testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(root_);
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  void write(const std::string& file, const std::string& text) {
    std::filesystem::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text << "\n";
  }
  void cpu(int number, const std::string& file, const std::string& text) {
    write("sys/devices/system/cpu/cpu" + std::to_string(number) + "/cpufreq/" + file, text);
  }

  std::filesystem::path root_;
};

TEST(InstructionSet, OfTheCpuAgainstTheBuild) {
  EXPECT_EQ(instruction_set_check("avx512", "avx512").status, Status::ok);
  EXPECT_EQ(instruction_set_check("amx", "avx2").status, Status::warn);
  const Check check = instruction_set_check("avx2", "avx512_bf16");
  EXPECT_EQ(check.status, Status::fail);
  EXPECT_EQ(check.found, "CPU avx2, build avx512_bf16");
  EXPECT_THAT(check.advice, HasSubstr("Build it on this machine"));
}

TEST_F(Machine, WithoutAnythingIsAbsentAndNeverFails) {
  for (const Check& check :
       {frequency_check(root_), governor_check(root_), clock_source_check(root_),
        huge_page_check(root_), memory_check(root_), gpu_check(root_, false)})
    EXPECT_EQ(check.status, Status::absent) << check.name;
  EXPECT_EQ(group_memory_check(root_).status, Status::ok);
}

TEST_F(Machine, FrequencyIsThatOfAllCpus) {
  for (int n : {0, 1}) {
    cpu(n, "cpuinfo_min_freq", "800000");
    cpu(n, "cpuinfo_max_freq", "3700000");
    cpu(n, "scaling_max_freq", "3700000");
  }
  cpu(0, "scaling_cur_freq", "1500000");
  cpu(1, "scaling_cur_freq", "3650000");
  EXPECT_EQ(frequency_check(root_).status, Status::ok);
  EXPECT_EQ(frequency_check(root_).found, "1500 to 3650 MHz now, between 800 and 3700");
  cpu(1, "scaling_max_freq", "2000000");
  EXPECT_EQ(frequency_check(root_).status, Status::warn);
  EXPECT_THAT(frequency_check(root_).found, HasSubstr("capped at 2000"));
}

TEST_F(Machine, OneGovernorThatSavesPowerIsAWarning) {
  for (int n : {0, 1, 2}) cpu(n, "scaling_governor", "performance");
  EXPECT_EQ(governor_check(root_).status, Status::ok);
  cpu(1, "scaling_governor", "powersave");
  EXPECT_EQ(governor_check(root_).status, Status::warn);
  EXPECT_EQ(governor_check(root_).found, "performance on 2 CPUs, powersave on 1 CPUs");
}

TEST_F(Machine, SlowClockIsAWarning) {
  const std::string file = "sys/devices/system/clocksource/clocksource0/current_clocksource";
  write(file, "tsc");
  EXPECT_EQ(clock_source_check(root_).status, Status::ok);
  write(file, "hpet");
  EXPECT_EQ(clock_source_check(root_).status, Status::warn);
  EXPECT_EQ(clock_source_check(root_).found, "hpet");
}

TEST_F(Machine, HugePagesThatNobodyAsksForAreAWarning) {
  const std::string file = "sys/kernel/mm/transparent_hugepage/enabled";
  write(file, "[always] madvise never");
  EXPECT_EQ(huge_page_check(root_).status, Status::ok);
  for (const char* modes : {"always [madvise] never", "always madvise [never]"}) {
    write(file, modes);
    EXPECT_EQ(huge_page_check(root_).status, Status::warn) << modes;
  }
  write(file, "nonsense");
  EXPECT_EQ(huge_page_check(root_).status, Status::absent);
}

TEST_F(Machine, MemoryThatIsTakenIsAWarningAndNoneIsAFail) {
  const auto status = [&](const std::string& available) {
    write("proc/meminfo",
          "MemTotal:  64000000 kB\nMemFree: 1 kB\nMemAvailable:  " + available + " kB\n");
    return memory_check(root_).status;
  };
  EXPECT_EQ(status("60000000"), Status::ok);
  EXPECT_EQ(memory_check(root_).found, "61.4 GB available of 65.5 GB");
  EXPECT_EQ(status("20000000"), Status::warn);
  EXPECT_EQ(status("500000"), Status::fail);
}

TEST_F(Machine, ControlGroupsOfBothVersions) {
  write("proc/meminfo", "MemTotal:  64000000 kB\nMemAvailable:  60000000 kB\n");
  write("proc/self/cgroup", "0::/job");
  write("sys/fs/cgroup/job/memory.max", "max");
  write("sys/fs/cgroup/job/memory.current", "1");
  EXPECT_THAT(group_memory_check(root_).found, HasSubstr("no control group"));
  write("sys/fs/cgroup/job/memory.max", "60000000000");
  write("sys/fs/cgroup/job/memory.current", "10000000000");
  EXPECT_EQ(group_memory_check(root_).status, Status::ok);
  EXPECT_EQ(group_memory_check(root_).found,
            "50.0 GB left of 60.0 GB, limited by a control group (version 2)");
  write("sys/fs/cgroup/job/memory.max", "16000000000");
  EXPECT_EQ(group_memory_check(root_).status, Status::warn);
  write("proc/self/cgroup", "3:memory:/small");
  write("sys/fs/cgroup/memory/small/memory.limit_in_bytes", "500000000");
  write("sys/fs/cgroup/memory/small/memory.usage_in_bytes", "1");
  EXPECT_EQ(group_memory_check(root_).status, Status::fail);
  EXPECT_THAT(group_memory_check(root_).found, HasSubstr("version 1"));
}

TEST_F(Machine, GpusNeedADriverAndABuild) {
  EXPECT_EQ(gpu_check(root_, true).status, Status::fail) << "a build for one, and none there";
  write("sys/bus/pci/devices/0000:3b:00.0/vendor", "0x10de");
  write("sys/bus/pci/devices/0000:3b:00.0/class", "0x030200");
  write("sys/bus/pci/devices/0000:3c:00.0/vendor", "0x10de");
  write("sys/bus/pci/devices/0000:3c:00.0/class", "0x068000");  // a switch
  EXPECT_EQ(gpu_check(root_, true).status, Status::fail);
  EXPECT_EQ(gpu_check(root_, true).found, "1 NVIDIA GPU, no driver");
  write("proc/driver/nvidia/version", "NVRM version: 580.1");
  EXPECT_EQ(gpu_check(root_, true).status, Status::ok);
  EXPECT_EQ(gpu_check(root_, false).status, Status::warn);
}

}  // namespace
}  // namespace vlmark::doctor
