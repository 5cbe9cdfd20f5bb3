#include "src/base/memory.hpp"

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

namespace vlmark {
namespace {

constexpr std::int64_t unlimited = std::numeric_limits<std::int64_t>::max();

/// The number behind `key` in a file of pairs; -1: not there.
std::int64_t number(const std::filesystem::path& file, const std::string& key) {
  std::ifstream in(file);
  for (std::string word; in >> word;) {
    std::int64_t value = -1;
    if (word == key && in >> value) return value;
  }
  return -1;
}

/// The number that is all of a file; -1: no file, or a word ("max").
std::int64_t number(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::int64_t value = -1;
  return in >> value ? value : -1;
}

std::int64_t kibibytes(const std::filesystem::path& file, const char* key) {
  return std::max<std::int64_t>(number(file, key), 0) * 1024;
}

/// The names that one version of control groups gives its files.
struct GroupFiles {
  int version;
  const char *limit, *usage, *reclaimable;
};
constexpr GroupFiles version1{1, "memory.limit_in_bytes", "memory.usage_in_bytes",
                              "total_inactive_file"};
constexpr GroupFiles version2{2, "memory.max", "memory.current", "inactive_file"};
/// The first version says "none" with the largest number of whole pages.
constexpr std::int64_t no_limit = std::int64_t{1} << 60;

/// Holds a group and all groups around it against the tightest so far.
void tighten(std::optional<GroupMemory>& tightest, const std::filesystem::path& mount,
             std::filesystem::path group, const GroupFiles& files) {
  for (group = group.relative_path();; group = group.parent_path()) {
    const std::filesystem::path folder = mount / group;
    const std::int64_t limit = number(folder / files.limit), usage = number(folder / files.usage);
    if (limit >= 0 && limit < no_limit && usage >= 0) {
      const std::int64_t cache =
          std::max<std::int64_t>(number(folder / "memory.stat", files.reclaimable), 0);
      const std::int64_t left = std::max<std::int64_t>(limit - usage + cache, 0);
      if (!tightest || left < tightest->left) tightest = {limit, left, files.version};
    }
    if (group.empty()) return;
  }
}

}  // namespace

std::int64_t peak_resident_bytes() { return kibibytes("/proc/self/status", "VmHWM:"); }
std::int64_t resident_bytes() { return kibibytes("/proc/self/status", "VmRSS:"); }

std::optional<GroupMemory> group_memory(const std::filesystem::path& root) {
  std::optional<GroupMemory> tightest;
  std::ifstream groups(root / "proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {  // "4:memory:/a/b", or "0::/a/b"
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1),
                      group = line.substr(second + 1);
    const std::filesystem::path mount = root / "sys/fs/cgroup";
    if (controllers.empty()) tighten(tightest, mount, group, version2);
    if ((',' + controllers + ',').find(",memory,") != std::string::npos)
      tighten(tightest, mount / "memory", group, version1);
  }
  return tightest;
}

std::int64_t available_bytes(const std::filesystem::path& root) {
  const std::int64_t kibibytes_left = number(root / "proc/meminfo", "MemAvailable:");
  std::int64_t left = kibibytes_left < 0 ? unlimited : kibibytes_left * 1024;
  if (const auto group = group_memory(root)) left = std::min(left, group->left);
  return left == unlimited ? 0 : left;
}

}  // namespace vlmark
