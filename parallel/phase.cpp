#include "parallel/phase.hpp"

#include <unistd.h>

#include <mutex>
#include <utility>

namespace vlmark::parallel {
namespace {

struct Phase {
  std::mutex mutex;
  std::string name = "start";
};

Phase& current() {
  static Phase* const instance = new Phase;  // outlives static destructors: a late error reads it
  return *instance;
}

}  // namespace

void set_phase(std::string name) {
  const std::lock_guard lock(current().mutex);
  current().name = std::move(name);
}

std::string phase() {
  const std::lock_guard lock(current().mutex);
  return current().name;
}

std::string host_name() {
  char name[256] = {};
  if (gethostname(name, sizeof name - 1) != 0) return "unknown host";
  return name;
}

}  // namespace vlmark::parallel
