#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "parallel/binding.hpp"
#include "parallel/gather.hpp"
#include "parallel/mpi_library.hpp"
#include "parallel/run_ranks.hpp"
#include "src/app/commands.hpp"
#include "src/base/build.hpp"
#include "src/base/device_memory.hpp"
#include "src/base/error.hpp"
#include "src/base/isa.hpp"
#include "src/doctor/machine_checks.hpp"
#include "src/doctor/process_checks.hpp"
#include "src/io/hdf5_probe.hpp"

namespace vlmark::app {
namespace {

using doctor::Check;
using doctor::Status;
using nlohmann::ordered_json;

Check mpi_check(int ranks) {
  const parallel::MpiLibrary mpi = parallel::mpi_library();
  Check check{"MPI", Status::ok, mpi.name + ", " + mpi.threads, ""};
  if (mpi.multiple) return check;
  check.status = ranks > 1 ? Status::fail : Status::warn;
  check.advice = "Several ranks need MPI_THREAD_MULTIPLE. Use an MPI built with thread support";
  return check;
}

Check hdf5_check(const std::string& folder) {
  const std::string name = "HDF5 " + io::hdf5_version();
  const std::string problem = io::hdf5_problem(folder);
  if (problem.empty())
    return {"HDF5", Status::ok, name + ", a file can be written and read again", ""};
  return {"HDF5", Status::fail, name + ": " + problem,
          "The record could not be written. Choose another folder, or set "
          "HDF5_USE_FILE_LOCKING=FALSE where the file system has no locks"};
}

std::string plural(std::size_t n, const char* what) {
  return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
}

std::string problems_text(const std::vector<parallel::BindingProblem>& problems) {
  return fmt::format("{} not as planned, rank {}: {}", plural(problems.size(), "rank"),
                     problems[0].rank, problems[0].text);
}

/// Rule V9, of all ranks together.
Check binding_check(const std::vector<parallel::RankPlace>& places) {
  const auto problems = parallel::binding_problems(places);
  const int unknown = parallel::unknown_bindings(places);
  if (!problems.empty())
    return {"binding", Status::warn, problems_text(problems),
            "Start fewer ranks or threads, or bind each rank to cores of its own (mpiexec --map-by "
            "numa:PE=N --bind-to core with OMP_NUM_THREADS=N)"};
  if (unknown > 0)
    return {"binding", Status::absent,
            plural(static_cast<std::size_t>(unknown), "rank") + " of which nobody knows", ""};
  return {"binding", Status::ok, plural(places.size(), "rank") + " as planned", ""};
}

/// Threads against cores, of the busiest node.
Check load_check(const std::vector<parallel::RankPlace>& places) {
  struct Node {
    std::size_t ranks = 0, threads = 0;
    std::vector<int> cores;
  };
  std::map<std::string, Node> nodes;
  for (const parallel::RankPlace& place : places) {
    Node& node = nodes[place.host];
    ++node.ranks;
    node.threads += static_cast<std::size_t>(place.threads);
    node.cores.insert(node.cores.end(), place.cores.begin(), place.cores.end());
  }
  Check check{"ranks x threads", Status::ok, "", ""};
  double worst = -1;
  for (auto& [host, node] : nodes) {
    std::sort(node.cores.begin(), node.cores.end());
    node.cores.erase(std::unique(node.cores.begin(), node.cores.end()), node.cores.end());
    const double load =
        static_cast<double>(node.threads) / std::max(1.0, static_cast<double>(node.cores.size()));
    if (load <= worst) continue;
    worst = load;
    check.found =
        fmt::format("{}, {} on {} of {}", plural(node.ranks, "rank"),
                    plural(node.threads, "thread"), plural(node.cores.size(), "core"), host);
  }
  if (worst > 1) {
    check.status = Status::warn;
    check.advice =
        "Threads wait for each other's cores. Lower OMP_NUM_THREADS or the ranks of a node";
  }
  return check;
}

Check hosts_check(const std::vector<parallel::RankPlace>& places) {
  std::vector<std::string> hosts;
  for (const parallel::RankPlace& place : places) hosts.push_back(place.host);
  std::sort(hosts.begin(), hosts.end());
  hosts.erase(std::unique(hosts.begin(), hosts.end()), hosts.end());
  return {"host", Status::ok,
          hosts[0] + (hosts.size() == 1 ? "" : fmt::format(" and {} more", hosts.size() - 1)), ""};
}

std::vector<Check> checks_of_rank(const DoctorOptions& options, parallel::Communicator& world,
                                  const std::vector<parallel::RankPlace>& places) {
  const auto here = std::count_if(places.begin(), places.end(), [&](const auto& place) {
    return place.host == places[static_cast<std::size_t>(world.rank())].host;
  });
  std::vector<Check> checks{
      doctor::instruction_set_check(instruction_set(), build_instruction_set()),
      doctor::frequency_check("/"),
      doctor::governor_check("/"),
      doctor::clock_source_check("/"),
      doctor::gpu_check("/", kDeviceMemory),
      doctor::memory_check("/"),
      doctor::group_memory_check("/"),
      doctor::huge_page_check("/")};
  for (Check& check : doctor::limit_checks()) checks.push_back(std::move(check));
  checks.push_back(doctor::shared_memory_check("/dev/shm", static_cast<int>(here)));
  checks.push_back(mpi_check(world.size()));
  checks.push_back(doctor::launcher_check(doctor::environment(), world.size()));
  checks.push_back(doctor::thread_number_check(doctor::environment()));
  checks.push_back(doctor::folder_check(options.folder));
  checks.push_back(hdf5_check(options.folder));
  return checks;
}

std::string to_text(const std::vector<Check>& checks) {
  ordered_json json = ordered_json::array();
  for (const Check& c : checks)
    json.push_back({c.name, static_cast<int>(c.status), c.found, c.advice});
  return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

std::vector<Check> of_text(const std::string& text) {
  std::vector<Check> checks;
  for (const auto& c : ordered_json::parse(text))
    checks.push_back({c[0], static_cast<Status>(c[1].get<int>()), c[2], c[3]});
  return checks;
}

void print(const std::vector<Check>& checks, int ranks, bool json) {
  int count[4] = {};
  for (const Check& check : checks) ++count[static_cast<int>(check.status)];
  if (json) {
    ordered_json object{{"ranks", ranks}, {"fails", count[static_cast<int>(Status::fail)]}};
    for (const Check& c : checks)
      object["checks"].push_back({{"name", c.name},
                                  {"status", doctor::name_of(c.status)},
                                  {"found", c.found},
                                  {"advice", c.advice}});
    fmt::print("{}\n", object.dump());
    return;
  }
  for (const Check& check : checks) {
    fmt::print("{:<6}  {:<19}  {}\n", doctor::name_of(check.status), check.name, check.found);
    if (!check.advice.empty()) fmt::print("{:<6}  {:<19}  -> {}\n", "", "", check.advice);
  }
  fmt::print("VLMARK DOCTOR {} ok={} absent={} warn={} fail={} ranks={}\n",
             doctor::any_fail(checks) ? "FAIL" : "OK", count[0], count[1], count[2], count[3],
             ranks);
}

}  // namespace

int doctor_command(int argc, char** argv, const DoctorOptions& options) {
  return parallel::run_ranks(argc, argv, [&](parallel::Communicator& world) {
    const auto places = parallel::gather_places(world, parallel::read_place(""));
    std::vector<std::vector<Check>> of_ranks;
    for (const std::string& text :
         parallel::all_gather_strings(world, to_text(checks_of_rank(options, world, places))))
      of_ranks.push_back(of_text(text));
    std::vector<Check> checks = doctor::worst_of(of_ranks);
    for (Check check : {load_check(places), binding_check(places), hosts_check(places)})
      checks.push_back(std::move(check));
    if (world.rank() == 0) print(checks, world.size(), options.json);
    return static_cast<int>(doctor::any_fail(checks) ? ExitCode::usage : ExitCode::ok);
  });
}

}  // namespace vlmark::app
