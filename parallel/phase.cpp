#include "parallel/phase.hpp"

#include <unistd.h>

#include <atomic>
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

std::atomic<int> shown_rank = -1;

}  // namespace

void set_phase(std::string name) {
  const std::lock_guard lock(current().mutex);
  current().name = std::move(name);
}

std::string phase() {
  const std::lock_guard lock(current().mutex);
  return current().name;
}

void set_rank(int rank) { shown_rank = rank; }

int rank_or(int of_launcher) {
  const int rank = shown_rank;
  return rank < 0 ? of_launcher : rank;
}

std::string host_name() {
  char name[256] = {};
  if (gethostname(name, sizeof name - 1) != 0) return "unknown host";
  return name;
}

}  // namespace vlmark::parallel
