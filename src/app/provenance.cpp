#include "src/app/provenance.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <thread>

#include "parallel/gather.hpp"
#include "parallel/phase.hpp"
#include "parallel/topology.hpp"
#include "src/base/build.hpp"
#include "src/base/clock.hpp"
#include "src/base/error.hpp"
#include "src/base/isa.hpp"
#include "src/plan/schedule.hpp"

namespace vlmark::app {
namespace {

/// Text of an environment variable that changes speed or results; "" where it is not set.
std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

/// The node's topology as hwloc's XML; why not where hwloc cannot tell.
std::string topology() try { return parallel::topology_xml({}); } catch (const IoError& e) {
  return std::string("absent: ") + e.what();
}

}  // namespace

std::vector<io::Text> provenance(const config::RunConfig& config,
                                 const parallel::Placement& placement,
                                 parallel::Communicator& comm) {
  const std::string host =
      fmt::format("{} {} ({})", parallel::host_name(), cpu_model(), instruction_set());
  std::string hosts;
  for (const std::string& line : parallel::all_gather_strings(comm, host)) hosts += line + "\n";
  std::vector<io::Text> texts{
      {"config", config::to_toml(config)},
      {"topology", topology()},
      {"provenance/ranks", std::to_string(comm.size())},
      {"provenance/hosts", hosts},
      {"provenance/placement", parallel::to_text(placement)},
      {"provenance/instruction_set", instruction_set()},
      {"provenance/cpu", cpu_model()},
      {"provenance/hardware_threads", std::to_string(std::thread::hardware_concurrency())},
      {"provenance/compute_library", compute_library()},
      {"provenance/compiler", fmt::format("g++ {}", __VERSION__)},
      {"provenance/contracts",
#ifdef VLMARK_CONTRACTS
       "on"
#else
       "off"
#endif
      }};
  for (const char* name : {"OMP_NUM_THREADS", "OMP_PROC_BIND", "SLURM_JOB_ID"})
    texts.push_back({std::string("provenance/") + name, variable(name)});
  return texts;
}

io::RecordHeader record_header(const std::string& started) {
  io::RecordHeader header;
  header.start_utc = started;
  header.end_utc = utc_now();
  for (int kind = 0; kind < plan::kActionKinds; ++kind)
    header.action_kinds.push_back(plan::name_of(static_cast<plan::ActionKind>(kind)));
  for (int lane = 0; lane < plan::kLanes; ++lane)
    header.lanes.push_back(plan::name_of(static_cast<plan::Lane>(lane)));
  return header;
}

}  // namespace vlmark::app
