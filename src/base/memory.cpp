#include "src/base/memory.hpp"

#include <fstream>
#include <string>

namespace vlmark {
namespace {

std::int64_t status_bytes(const char* key) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (word == key) {
      std::int64_t kibibytes = 0;
      status >> kibibytes;
      return kibibytes * 1024;
    }
  return 0;
}

}  // namespace

std::int64_t peak_resident_bytes() { return status_bytes("VmHWM:"); }
std::int64_t resident_bytes() { return status_bytes("VmRSS:"); }

}  // namespace vlmark
