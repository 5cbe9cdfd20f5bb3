#include "src/doctor/machine_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <map>

#include "src/base/memory.hpp"
#include "src/doctor/files.hpp"

namespace vlmark::doctor {
namespace {

namespace fs = std::filesystem;

/// Every entry of a folder; none where there is no such folder.
std::vector<fs::path> entries(const fs::path& folder) {
  std::error_code failure;
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(folder, failure)) found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

/// First line of cpu*/cpufreq/<name> of every CPU that has it.
std::vector<std::string> of_every_cpu(const fs::path& root, const std::string& name) {
  std::vector<std::string> lines;
  for (const fs::path& cpu : entries(root / "sys/devices/system/cpu")) {
    const std::string line = first_line(cpu / "cpufreq" / name);
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

std::vector<double> megahertz_of_every_cpu(const fs::path& root, const std::string& name) {
  std::vector<double> values;
  for (const std::string& kilohertz : of_every_cpu(root, name))
    values.push_back(std::atof(kilohertz.c_str()) * 1e-3);
  return values;
}

double least(const std::vector<double>& v) { return *std::min_element(v.begin(), v.end()); }
double largest(const std::vector<double>& v) { return *std::max_element(v.begin(), v.end()); }

/// The value of the line that begins with `key`, without the colon and blanks between.
std::string value_of_line(const fs::path& file, const std::string& key) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(key)) return line.substr(line.find_first_not_of(": \t", key.size()));
  return "";
}

double meminfo_bytes(const fs::path& root, const char* key) {
  return std::atof(value_of_line(root / "proc/meminfo", key).c_str()) * 1024;
}

}  // namespace

Check instruction_set_check(const std::string& cpu, const std::string& build) {
  constexpr std::array sets{"sse", "avx2", "avx512", "avx512_bf16", "amx"};
  const auto rank = [&](const std::string& set) {
    return std::find(sets.begin(), sets.end(), set) - sets.begin();
  };
  Check check{"instruction set", Status::ok, "CPU " + cpu + ", build " + build, ""};
  if (rank(cpu) < rank(build)) {
    check.status = Status::fail;
    check.advice = "This program dies of an illegal instruction here. Build it on this machine";
  } else if (rank(cpu) > rank(build)) {
    check.status = Status::warn;
    check.advice = "The CPU has more than the build uses. Build it on this machine";
  }
  return check;
}

Check frequency_check(const fs::path& root) {
  const auto now = megahertz_of_every_cpu(root, "scaling_cur_freq"),
             low = megahertz_of_every_cpu(root, "cpuinfo_min_freq"),
             high = megahertz_of_every_cpu(root, "cpuinfo_max_freq");
  if (now.empty() || low.empty() || high.empty()) {
    const std::string mhz = value_of_line(root / "proc/cpuinfo", "cpu MHz");
    return {"CPU frequency", Status::absent,
            "the system does not say (a virtual machine, or no driver); /proc/cpuinfo has " +
                (mhz.empty() ? "none" : mhz + " MHz"),
            ""};
  }
  Check check{"CPU frequency", Status::ok,
              fmt::format("{:.0f} to {:.0f} MHz now, between {:.0f} and {:.0f}", least(now),
                          largest(now), least(low), largest(high)),
              ""};
  // What limits the range itself, whatever the load.
  const auto capped = megahertz_of_every_cpu(root, "scaling_max_freq");
  if (!capped.empty() && least(capped) < 0.99 * largest(high)) {
    check.status = Status::warn;
    check.found += fmt::format(", capped at {:.0f}", least(capped));
    check.advice = "Raise the cap (cpupower frequency-set --max), or say so beside the result";
  }
  return check;
}

Check governor_check(const fs::path& root) {
  const std::vector<std::string> governors = of_every_cpu(root, "scaling_governor");
  if (governors.empty())
    return {"CPU governor", Status::absent, "the system does not say (a virtual machine?)", ""};
  std::map<std::string, int> count;
  for (const std::string& governor : governors) ++count[governor];
  std::string found;
  for (const auto& [governor, cpus] : count)
    found += fmt::format("{}{} on {} CPUs", found.empty() ? "" : ", ", governor, cpus);
  if (count.size() == 1 && count.contains("performance"))
    return {"CPU governor", Status::ok, found, ""};
  return {"CPU governor", Status::warn, found,
          "Clocks may change within a run. Set it: cpupower frequency-set -g performance"};
}

Check clock_source_check(const fs::path& root) {
  const std::string source =
      first_line(root / "sys/devices/system/clocksource/clocksource0/current_clocksource");
  if (source.empty()) return {"clock source", Status::absent, "the system does not say", ""};
  for (const char* fast : {"tsc", "kvm-clock", "arch_sys_counter", "hyperv_clocksource_tsc_page"})
    if (source == fast) return {"clock source", Status::ok, source, ""};
  return {"clock source", Status::warn, source,
          "Reading this clock takes a microsecond or more. Find out why the system gave up tsc "
          "(dmesg | grep -i tsc)"};
}

Check huge_page_check(const fs::path& root) {
  const std::string modes = first_line(root / "sys/kernel/mm/transparent_hugepage/enabled");
  const std::size_t begin = modes.find('['), end = modes.find(']');
  if (begin == std::string::npos || end == std::string::npos)
    return {"huge pages", Status::absent, "the system has no transparent huge pages", ""};
  const std::string mode = modes.substr(begin + 1, end - begin - 1);
  if (mode == "always") return {"huge pages", Status::ok, mode, ""};
  return {"huge pages", Status::warn, mode + " (large tensors lie on pages of 4 KiB)",
          "Set it: echo always > /sys/kernel/mm/transparent_hugepage/enabled"};
}

Check memory_check(const fs::path& root) {
  const double total = meminfo_bytes(root, "MemTotal"),
               available = meminfo_bytes(root, "MemAvailable");
  if (total == 0) return {"memory", Status::absent, "the system does not say", ""};
  Check check{"memory", Status::ok, gigabytes(available) + " available of " + gigabytes(total), ""};
  if (available < 1e9) {
    check.status = Status::fail;
    check.advice = "Not even a small model fits. End what else runs on this node";
  } else if (available < total / 2) {
    check.status = Status::warn;
    check.advice = "Something else holds much of it. `vlmark plan` says what a run needs";
  }
  return check;
}

Check group_memory_check(const fs::path& root) {
  const auto group = group_memory(root);
  if (!group) return {"memory of the job", Status::ok, "no control group limits it", ""};
  Check check{"memory of the job", Status::ok,
              fmt::format("{} left of {}, limited by a control group (version {})",
                          gigabytes(static_cast<double>(group->left)),
                          gigabytes(static_cast<double>(group->limit)), group->version),
              ""};
  if (static_cast<double>(group->left) < 1e9) {
    check.status = Status::fail;
    check.advice =
        "The system ends a process that needs more. Ask the batch system (or the "
        "container) for more memory";
  } else if (static_cast<double>(group->limit) < meminfo_bytes(root, "MemTotal") / 2) {
    check.status = Status::warn;
    check.advice =
        "The job has a part of the node only. Ask the batch system for all of it "
        "(Slurm: --mem=0)";
  }
  return check;
}

Check gpu_check(const fs::path& root, bool build_for_gpu) {
  int gpus = 0;
  for (const fs::path& device : entries(root / "sys/bus/pci/devices"))
    gpus += first_line(device / "vendor") == "0x10de" &&
            first_line(device / "class").starts_with("0x03");
  const std::string driver = first_line(root / "proc/driver/nvidia/version");
  const std::string found = fmt::format("{} NVIDIA GPU{}, {}", gpus, gpus == 1 ? "" : "s",
                                        driver.empty() ? "no driver" : "driver: " + driver);
  if (gpus == 0 && driver.empty()) {
    if (!build_for_gpu) return {"GPU", Status::absent, "none, and this build needs none", ""};
    return {"GPU", Status::fail, "none, and this build computes on one",
            "Run on a node with a GPU, or use a build for the host"};
  }
  if (build_for_gpu && driver.empty())
    return {"GPU", Status::fail, found, "Load NVIDIA's driver (nvidia-smi must list the GPUs)"};
  if (!build_for_gpu)
    return {"GPU", Status::warn, found + "; this build computes on the host",
            "Use a build of the preset cuda to use them"};
  return {"GPU", Status::ok, found, ""};
}

}  // namespace vlmark::doctor
