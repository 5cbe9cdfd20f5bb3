#include "parallel/nccl_communicator.hpp"
#include "src/base/error.hpp"

namespace vlmark::parallel {

int nccl_version() { return 0; }

std::unique_ptr<Communicator> nccl_communicator(std::unique_ptr<Communicator>, const NcclOptions&) {
  throw CommError(
      "nccl_communicator: this build has no NCCL (device memory cannot travel by it). Configure "
      "with preset cuda-nccl or use the MPI transport");
}

}  // namespace vlmark::parallel
