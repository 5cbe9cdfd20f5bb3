#include "src/doctor/process_checks.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <map>

namespace vlmark::doctor {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t MiB = 1 << 20;

TEST(Limits, UnlimitedIsOk) {
  for (const Check& check :
       {locked_memory_check({}), stack_check({}), open_files_check({}), process_memory_check({})}) {
    EXPECT_EQ(check.status, Status::ok) << check.name;
    EXPECT_EQ(check.found, "unlimited");
  }
}

TEST(Limits, LowOnesAreFoundWithTheirValue) {
  EXPECT_EQ(locked_memory_check(8 * MiB).status, Status::warn);
  EXPECT_EQ(locked_memory_check(8 * MiB).found, "8.0 MiB");
  EXPECT_EQ(stack_check(8 * MiB).status, Status::ok);
  EXPECT_EQ(stack_check(2 * MiB).status, Status::warn);
  EXPECT_EQ(stack_check(MiB / 2).status, Status::fail);
  EXPECT_EQ(open_files_check(1024).status, Status::ok);
  EXPECT_EQ(open_files_check(256).status, Status::warn);
  EXPECT_EQ(open_files_check(32).status, Status::fail);
  EXPECT_EQ(process_memory_check(16'000 * MiB).status, Status::warn);
  EXPECT_EQ(process_memory_check(64 * MiB).status, Status::fail);
}

TEST(Limits, OfThisProcessAreFour) { EXPECT_EQ(limit_checks().size(), 4u); }

TEST(SharedMemory, GoesByTheRanksOfTheNode) {
  const auto status = [](std::uint64_t free_bytes, int ranks) {
    return shared_memory_check("/dev/shm", free_bytes, 64 * MiB, ranks).status;
  };
  EXPECT_EQ(status(64 * MiB, 2), Status::ok);
  EXPECT_EQ(status(64 * MiB, 8), Status::warn);
  EXPECT_EQ(status(64 * MiB, 64), Status::fail);
  EXPECT_EQ(shared_memory_check("/dev/shm", {}, {}, 1).status, Status::fail);
  EXPECT_EQ(shared_memory_check(std::filesystem::path("/no/such/folder"), 1).status, Status::fail);
}

Environment with(std::map<std::string, std::string> variables) {
  return [variables](const char* name) {
    const auto at = variables.find(name);
    return at == variables.end() ? std::nullopt : std::optional(at->second);
  };
}

TEST(ThreadNumber, IsAWholeNumber) {
  EXPECT_EQ(thread_number_check(with({{"OMP_NUM_THREADS", "8"}})).found, "OMP_NUM_THREADS = 8");
  EXPECT_EQ(thread_number_check(with({{"OMP_NUM_THREADS", "4,2"}})).found, "OMP_NUM_THREADS = 4");
  EXPECT_EQ(thread_number_check(with({})).status, Status::warn);
  for (const char* wrong : {"", "0", "-2", "many", "4x", "1e3", ",4", "99999999999999999999"}) {
    const Check check = thread_number_check(with({{"OMP_NUM_THREADS", wrong}}));
    EXPECT_EQ(check.status, Status::fail) << wrong;
    EXPECT_EQ(check.found, "OMP_NUM_THREADS is no number of at least 1");
  }
  EXPECT_EQ(
      thread_number_check(with({{"KOKKOS_NUM_THREADS", "2"}, {"OMP_NUM_THREADS", "8"}})).found,
      "KOKKOS_NUM_THREADS = 2");
}

TEST(Launcher, ThatDoesNotBelongToTheMpiIsFound) {
  EXPECT_EQ(launcher_check(with({}), 1).status, Status::ok);
  EXPECT_EQ(launcher_check(with({{"OMPI_COMM_WORLD_SIZE", "4"}}), 4).status, Status::ok);
  const Check check = launcher_check(with({{"PMI_SIZE", "4"}}), 1);
  EXPECT_EQ(check.status, Status::fail);
  EXPECT_EQ(check.found, "PMI_SIZE started 4, MPI counts 1");
}

TEST(Folder, IsWrittenToAndLeftAsItWas) {
  const std::filesystem::path root = std::filesystem::path(testing::TempDir()) / "doctor-folder";
  std::filesystem::remove_all(root);
  std::filesystem::create_directories(root);
  EXPECT_EQ(folder_check(root).status, Status::ok);
  EXPECT_THAT(folder_check(root).found, HasSubstr("can be written"));
  EXPECT_THAT(folder_check(root / "a" / "b").found, HasSubstr("(to be made)"));
  EXPECT_TRUE(std::filesystem::is_empty(root));
  std::ofstream(root / "file") << "x";
  EXPECT_EQ(folder_check(root / "file").status, Status::fail);
  EXPECT_EQ(folder_check(root / "file" / "below").status, Status::fail);
  EXPECT_EQ(folder_check("/proc/vlmark").status, Status::fail);
  std::filesystem::remove_all(root);
}

}  // namespace
}  // namespace vlmark::doctor
