// A program that fails in the way its first argument names. Run by expect_failure.py, which checks
// text, exit code and time.

#include <cstdio>
#include <cstdlib>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "parallel/agree.hpp"
#include "parallel/phase.hpp"
#include "parallel/run_ranks.hpp"
#include "parallel/scalars.hpp"
#include "src/base/error.hpp"

namespace {

using namespace vlmark;
using namespace vlmark::parallel;

bool last(const Communicator& comm) { return comm.rank() == comm.size() - 1; }

/// Hangs unless the job is ended from outside: the last rank never comes.
void wait_for_the_last(Communicator& comm) { wait_for_all(comm); }

/// A destructor that waits for the other ranks: harmless only because nothing is unwound.
struct WaitsInDestructor {
  Communicator& comm;
  ~WaitsInDestructor() { wait_for_all(comm); }
};

void throw_io(Communicator& comm) {
  set_phase("read shards");
  const WaitsInDestructor trap{comm};
  if (last(comm)) throw IoError("shard 7: cannot be read (planted). Restore it");
  wait_for_the_last(comm);
}

void throw_std(Communicator& comm) {
  if (last(comm)) throw std::runtime_error("not an error of vlmark (planted)");
  wait_for_the_last(comm);
}

void throw_in_thread(Communicator& comm) {
  float never;
  std::thread thread;
  if (last(comm)) thread = std::thread([] { throw ValueError("thread: NaN (planted)"); });
  // The main thread is inside MPI meanwhile.
  comm.receive(buffer(&never, 1), (comm.rank() + 1) % comm.size(), 0).wait();
}

void throw_everywhere(Communicator&) { throw ConfigError("key 'x' (planted on every rank)"); }

void drop_request(Communicator& comm) {
  static float value;
  if (last(comm)) {
    { [[maybe_unused]] const Request dropped = comm.receive(buffer(&value, 1), 0, 1); }
    std::puts("still alive after the drop");
  }
  wait_for_the_last(comm);
}

void drop_collective(Communicator& comm) {
  static float value;
  Request request = comm.all_reduce(buffer(&value, 1), Reduce::sum);
  if (last(comm)) [[maybe_unused]]
    const Request dropped = std::move(request);
  std::move(request).wait();
  wait_for_the_last(comm);
}

void truncated(Communicator& comm) {
  std::vector<float> values(100);
  if (comm.rank() == 0) comm.send(buffer(values), comm.size() - 1, 2).wait();
  if (last(comm)) comm.receive(buffer(values.data(), 10), 0, 2).wait();
  wait_for_the_last(comm);
}

/// Ranks disagree on a count: MPI finds out inside wait(), on one rank or several.
void mismatched(Communicator& comm) {
  std::vector<float> values(comm.rank() == 0 ? 1 : 1000);
  comm.broadcast(buffer(values), comm.size() - 1).wait();
  wait_for_the_last(comm);
}

void agreed_one(Communicator& comm) {
  agree(comm, "load model", [&] {
    if (last(comm)) throw IoError("model.safetensors: missing (planted). Copy it");
  });
}

void agreed_all(Communicator& comm) {
  agree(comm, "read config", [] { throw ConfigError("steps: is -1 (planted). Use 1 or more"); });
}

void stop_early(Communicator& comm) {  // a crash that no handler sees
  if (last(comm)) std::abort();
  wait_for_the_last(comm);
}

}  // namespace

int main(int argc, char** argv) {
  const std::map<std::string, void (*)(Communicator&)> faults = {
      {"throw_io", throw_io},
      {"throw_std", throw_std},
      {"throw_in_thread", throw_in_thread},
      {"throw_everywhere", throw_everywhere},
      {"drop_request", drop_request},
      {"drop_collective", drop_collective},
      {"truncated", truncated},
      {"mismatched", mismatched},
      {"agreed_one", agreed_one},
      {"agreed_all", agreed_all},
      {"stop_early", stop_early},
      {"none", wait_for_all}};
  return run_ranks(argc, argv, [&](Communicator& comm) {
    faults.at(argc > 1 ? argv[1] : "none")(comm);
    return 0;
  });
}
