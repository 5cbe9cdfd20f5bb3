#include "parallel/alarm.hpp"

#include <mpi.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "parallel/phase.hpp"

namespace vlmark::parallel {
namespace {

bool mpi_runs() {
  int initialized = 0, finalized = 0;
  MPI_Initialized(&initialized);
  MPI_Finalized(&finalized);
  return initialized && !finalized;
}

class MpiAlarm final : public Alarm {
 public:
  MpiAlarm() {
    MPI_Comm_dup(MPI_COMM_WORLD, &comm_);
    MPI_Comm_rank(comm_, &rank_);
    MPI_Comm_size(comm_, &size_);
  }
  ~MpiAlarm() override { MPI_Comm_free(&comm_); }
  MpiAlarm(const MpiAlarm&) = delete;
  MpiAlarm& operator=(const MpiAlarm&) = delete;

  void ring() override {
    // Never waited for: the job is about to end, and a rank that is lost would not answer.
    static char call = 1;
    for (int r = 0; r < size_; ++r) {
      if (r == rank_) continue;
      MPI_Request request = MPI_REQUEST_NULL;
      MPI_Isend(&call, 1, MPI_CHAR, r, 0, comm_, &request);
      MPI_Request_free(&request);
    }
  }
  bool rung() override {
    int found = 0;
    MPI_Iprobe(MPI_ANY_SOURCE, 0, comm_, &found, MPI_STATUS_IGNORE);
    return found != 0;
  }

 private:
  MPI_Comm comm_ = MPI_COMM_NULL;
  int rank_ = 0, size_ = 1;
};

}  // namespace

std::unique_ptr<Alarm> make_alarm(const Communicator& world) {
  if (world.size() == 1 || !mpi_runs()) return nullptr;
  int size = 0;
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  return size == world.size() ? std::make_unique<MpiAlarm>() : nullptr;
}

void print_of_rank(const std::string& text) {
  int rank = 0, size = 1;
  if (mpi_runs()) {
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
  }
  const std::string line = "rank " + std::to_string(rank_or(rank)) + " of " + std::to_string(size) +
                           " on " + host_name() + ": " + text + "\n";
  [[maybe_unused]] const auto written = write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace vlmark::parallel
