#include "src/doctor/process_checks.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "src/doctor/files.hpp"

namespace vlmark::doctor {
namespace {

Limit limit_of(__rlimit_resource_t resource) {
  rlimit limit{};
  if (getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return std::nullopt;
  return limit.rlim_cur;
}

std::string mebibytes(const Limit& limit) {
  return limit ? fmt::format("{:.1f} MiB", static_cast<double>(*limit) / (1 << 20)) : "unlimited";
}

std::optional<long> whole(const std::string& text) {
  long value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

Check locked_memory_check(const Limit& limit) {
  Check check{"locked memory", Status::ok, mebibytes(limit), ""};
  if (limit && *limit < std::uint64_t{1} << 30) {
    check.status = Status::warn;
    check.advice =
        "InfiniBand registers memory and falls back or fails. Set ulimit -l unlimited "
        "(a single node without such a network needs none)";
  }
  return check;
}

Check stack_check(const Limit& limit) {
  Check check{"stack", Status::ok, mebibytes(limit), ""};
  if (limit && *limit < std::uint64_t{8} << 20) {
    check.status = *limit < std::uint64_t{1} << 20 ? Status::fail : Status::warn;
    check.advice = "Libraries expect 8 MiB. Set ulimit -s 8192";
  }
  return check;
}

Check open_files_check(const Limit& limit) {
  Check check{"open files", Status::ok, limit ? std::to_string(*limit) : "unlimited", ""};
  if (limit && *limit < 1024) {
    check.status = *limit < 64 ? Status::fail : Status::warn;
    check.advice = "MPI opens files for every neighbour. Set ulimit -n 4096";
  }
  return check;
}

Check process_memory_check(const Limit& limit) {
  Check check{"memory of a process", Status::ok,
              limit ? gigabytes(static_cast<double>(*limit)) : "unlimited", ""};
  if (limit) {
    check.status = *limit < 1'000'000'000 ? Status::fail : Status::warn;
    check.advice =
        "A model that fits the node may not fit this. Set ulimit -v unlimited and -d "
        "unlimited";
  }
  return check;
}

std::vector<Check> limit_checks() {
  const Limit space = limit_of(RLIMIT_AS), data = limit_of(RLIMIT_DATA);
  const Limit tighter = space && data ? std::min(*space, *data) : space ? space : data;
  return {locked_memory_check(limit_of(RLIMIT_MEMLOCK)), stack_check(limit_of(RLIMIT_STACK)),
          open_files_check(limit_of(RLIMIT_NOFILE)), process_memory_check(tighter)};
}

Check shared_memory_check(const std::string& folder, const std::optional<std::uint64_t>& free_bytes,
                          const std::optional<std::uint64_t>& all_bytes, int ranks_of_node) {
  if (!free_bytes || !all_bytes)
    return {"shared memory", Status::fail, folder + " cannot be looked at",
            "Ranks of a node exchange messages there. Mount it: mount -t tmpfs tmpfs " + folder};
  Check check{"shared memory", Status::ok,
              fmt::format("{} free of {} in {}, {} rank{} here",
                          gigabytes(static_cast<double>(*free_bytes)),
                          gigabytes(static_cast<double>(*all_bytes)), folder, ranks_of_node,
                          ranks_of_node == 1 ? "" : "s"),
              ""};
  // Open MPI 4.1 makes a segment of 4 MiB for each rank, and more for its other parts.
  const auto needed = static_cast<std::uint64_t>(ranks_of_node) << 24;
  if (*free_bytes < needed) {
    check.status = *free_bytes < needed / 4 ? Status::fail : Status::warn;
    check.advice = fmt::format(
        "Open MPI wants about {} for the messages of these ranks. Enlarge it (containers: "
        "--shm-size), or remove what ended jobs left there",
        gigabytes(static_cast<double>(needed)));
  }
  return check;
}

Check shared_memory_check(const std::filesystem::path& folder, int ranks_of_node) {
  struct statvfs info {};
  if (statvfs(folder.c_str(), &info) != 0)
    return shared_memory_check(folder.string(), std::nullopt, std::nullopt, ranks_of_node);
  return shared_memory_check(folder.string(), std::uint64_t{info.f_bavail} * info.f_frsize,
                             std::uint64_t{info.f_blocks} * info.f_frsize, ranks_of_node);
}

Environment environment() {
  return [](const char* name) -> std::optional<std::string> {
    const char* value = std::getenv(name);
    return value ? std::optional<std::string>(value) : std::nullopt;
  };
}

Check thread_number_check(const Environment& variable) {
  for (const char* name : {"KOKKOS_NUM_THREADS", "OMP_NUM_THREADS"}) {
    const auto value = variable(name);
    if (!value) continue;
    const auto threads = whole(value->substr(0, value->find(',')));  // of "4,2" the outer level
    if (threads && *threads >= 1)
      return {"thread number", Status::ok, fmt::format("{} = {}", name, *threads), ""};
    // Not the value: who mistook the variable may have put anything there.
    return {"thread number", Status::fail, fmt::format("{} is no number of at least 1", name),
            fmt::format("Set {}=N, with N cores for each rank", name)};
  }
  return {"thread number", Status::warn,
          "OMP_NUM_THREADS is not set: one thread per CPU of the rank",
          "Set OMP_NUM_THREADS=N, with N cores for each rank, so that results can be compared"};
}

Check launcher_check(const Environment& variable, int ranks) {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"}) {
    const auto value = variable(name);
    const auto started = value ? whole(*value) : std::nullopt;
    if (!started) continue;
    const std::string found = fmt::format("{} started {}, MPI counts {}", name, *started, ranks);
    if (*started == ranks) return {"launcher", Status::ok, found, ""};
    return {"launcher", Status::fail, found,
            "The launcher does not belong to this MPI: every rank is a job of its own. Start with "
            "the mpiexec of the MPI that the program was built with (or srun --mpi=pmix)"};
  }
  return {"launcher", Status::ok, fmt::format("none: {} rank", ranks), ""};
}

}  // namespace vlmark::doctor
