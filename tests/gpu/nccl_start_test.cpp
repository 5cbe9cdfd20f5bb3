// The real NCCL: what of it works without a driver, and what is said of the rest (rung G0).
#include <cuda_runtime_api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nccl.h>

#include "parallel/nccl_communicator.hpp"
#include "parallel/self_communicator.hpp"
#include "src/base/error.hpp"

namespace vlmark::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(Nccl, KnowsItsVersionAndMakesAnIdWithoutADevice) {
  EXPECT_EQ(parallel::nccl_version(), NCCL_VERSION_CODE);
  ncclUniqueId id{};
  EXPECT_EQ(ncclGetUniqueId(&id), ncclSuccess);
}

TEST(Nccl, AGroupWithoutADriverSaysWhatIsMissing) {
  int count = 0;
  if (cudaGetDeviceCount(&count) == cudaSuccess && count > 0) GTEST_SKIP() << "has a device";
  EXPECT_THAT([] { parallel::nccl_communicator(parallel::self_communicator()); },
              testing::ThrowsMessage<CommError>(
                  AllOf(HasSubstr("nccl_communicator: cuda"), HasSubstr("cudaError"),
                        HasSubstr("one working CUDA device for each rank"))));
}

}  // namespace
}  // namespace vlmark::test
