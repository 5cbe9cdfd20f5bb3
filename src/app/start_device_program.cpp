// The commands that need a device, in the program without one: it becomes the other.

#include <dlfcn.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "parallel/phase.hpp"
#include "src/app/commands.hpp"
#include "src/base/error.hpp"

namespace vlmark::app {
namespace {

/// The library that the device's driver installs; empty where the device is the host.
constexpr const char* kDriver = VLMARK_DRIVER;

/// Whether a launcher made this process the first of its node: what is wrong there is said once for
/// each node.
bool first_of_node() {
  for (const char* name : {"OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", "SLURM_LOCALID"})
    if (const char* rank = std::getenv(name)) return std::atoi(rank) == 0;
  return true;
}

int refuse(const std::string& text, ExitCode code) {
  if (first_of_node()) fmt::print(stderr, "vlmark: {}\n", text);
  return static_cast<int>(code);
}

/// Returns only where it fails. The loader would say less about a missing driver, and end with 127.
int start(const char* command, char** argv) {
  if (*kDriver && !dlopen(kDriver, RTLD_LAZY | RTLD_LOCAL))
    return refuse(
        fmt::format("{}: on {} the driver's library cannot be loaded: {} (this build computes on "
                    "a GPU). Run it on a node with a GPU, or add the library's folder to "
                    "LD_LIBRARY_PATH; 'plan' and --help work here",
                    command, parallel::host_name(), dlerror()),
        ExitCode::internal);
  const auto program =
      std::filesystem::read_symlink("/proc/self/exe").parent_path() / "vlmark-device";
  execv(program.c_str(), argv);
  return refuse(fmt::format("{}: {} cannot be started: {} ('{}' runs in that program). Keep both "
                            "programs in one folder, as the build puts them",
                            command, program.string(), std::strerror(errno), command),
                ExitCode::io);
}

}  // namespace

int run_command(int, char** argv, const RunOptions&) { return start("run", argv); }
int generate_command(int, char** argv, const GenerateOptions&) { return start("generate", argv); }
int recheck_command(int, char** argv, const RecheckOptions&) { return start("recheck", argv); }

}  // namespace vlmark::app
