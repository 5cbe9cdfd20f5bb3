#include "parallel/nccl_channel.hpp"

#include <cuda_runtime_api.h>
#include <nccl.h>

#include <exception>
#include <thread>

#include "src/base/counters.hpp"
#include "src/base/error.hpp"

namespace vlmark::parallel {
namespace {

constexpr auto kSpin = std::chrono::microseconds(200);  // then the core is given away
constexpr auto kPause = std::chrono::microseconds(20);
constexpr auto kFarewell = std::chrono::seconds(10);  // an orderly end takes milliseconds

}  // namespace

void require_cuda(int code, const char* call) {
  if (code == cudaSuccess) return;
  const auto error = static_cast<cudaError_t>(code);
  throw CommError(std::string("nccl_communicator: ") + call + " failed with " +
                  cudaGetErrorName(error) + " (" + std::to_string(code) +
                  ", wanted 0): " + cudaGetErrorString(error) +
                  " (NCCL needs one working CUDA device for each rank). Look at nvidia-smi on this "
                  "machine, or use the MPI transport");
}

NcclEvent::NcclEvent(cudaStream_t stream) {
  require_cuda(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming), "cudaEventCreate");
  const cudaError_t code = cudaEventRecord(event_, stream);
  if (code != cudaSuccess) cudaEventDestroy(event_);
  require_cuda(code, "cudaEventRecord");
}
NcclEvent::~NcclEvent() { cudaEventDestroy(event_); }

bool NcclEvent::complete() const {
  const cudaError_t code = cudaEventQuery(event_);
  if (code == cudaErrorNotReady) return false;
  require_cuda(code, "cudaEventQuery");
  return true;
}

void NcclEvent::hold(cudaStream_t stream) const {
  require_cuda(cudaStreamWaitEvent(stream, event_, 0), "cudaStreamWaitEvent");
}

NcclChannel::NcclChannel(Communicator& host, std::chrono::milliseconds patience)
    : patience_(patience), rank_(host.rank()), size_(host.size()) {
  int device = 0;
  require_cuda(cudaGetDevice(&device), "cudaGetDevice");
  int lowest = 0, highest = 0;
  require_cuda(cudaDeviceGetStreamPriorityRange(&lowest, &highest),
               "cudaDeviceGetStreamPriorityRange");
  // Messages should not queue up behind the blocks of a long kernel.
  require_cuda(cudaStreamCreateWithPriority(&stream_, cudaStreamNonBlocking, highest),
               "cudaStreamCreate");
  ncclUniqueId id{};
  if (rank_ == 0) settle(ncclGetUniqueId(&id), "ncclGetUniqueId");
  const Counts before = counters();  // set-up is not the run's traffic
  host.broadcast(buffer(id.internal, sizeof(id.internal)), 0).wait();
  static_cast<Counts&>(counters()) = before;
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = 0;
  settle(ncclCommInitRankConfig(&comm_, size_, id, rank_, &config), "ncclCommInitRank");
}

NcclChannel::~NcclChannel() {
  if (comm_) {
    // In the wake of an exception the other ranks may never come to an orderly end.
    bool orderly = std::uncaught_exceptions() == 0 && failure_.empty();
    if (orderly) {
      ncclResult_t code = ncclCommFinalize(comm_);
      const auto end = std::chrono::steady_clock::now() + kFarewell;
      while (code == ncclInProgress && std::chrono::steady_clock::now() < end) {
        std::this_thread::sleep_for(kPause);
        if (ncclCommGetAsyncError(comm_, &code) != ncclSuccess) code = ncclInternalError;
      }
      orderly = code == ncclSuccess;
    }
    orderly ? ncclCommDestroy(comm_) : ncclCommAbort(comm_);
  }
  if (stream_) cudaStreamDestroy(stream_);
}

void NcclChannel::start_after(void* queue) const {
  if (queue) NcclEvent(static_cast<cudaStream_t>(queue)).hold(stream_);
}

void NcclChannel::start(const std::string& what, const std::function<int()>& calls) {
  require_alive(what);
  settle(ncclGroupStart(), what);
  const int code = calls();
  // The group is closed in any case, or the next one would be part of it.
  const ncclResult_t closed = ncclGroupEnd();
  settle(code, what);
  settle(closed, what);
}

void NcclChannel::wait(const NcclEvent& event, const std::string& what) {
  require_alive(what);
  ncclResult_t asynchronous = ncclSuccess;
  const bool done = poll([&] {
    if (event.complete()) return true;
    const ncclResult_t asked = ncclCommGetAsyncError(comm_, &asynchronous);
    if (asked != ncclSuccess) asynchronous = asked;
    return asynchronous != ncclSuccess && asynchronous != ncclInProgress;
  });
  if (!done) fail_late(what);
  if (asynchronous != ncclSuccess && asynchronous != ncclInProgress) fail(what, asynchronous);
}

void NcclChannel::settle(int code, const std::string& what) {
  if (code == ncclInProgress && comm_) {
    const bool done = poll([&] {
      ncclResult_t state = ncclSuccess;
      const ncclResult_t asked = ncclCommGetAsyncError(comm_, &state);
      code = asked != ncclSuccess ? asked : state;
      return code != ncclInProgress;
    });
    if (!done) fail_late(what);
  }
  if (code != ncclSuccess) fail(what, code);
}

bool NcclChannel::poll(const std::function<bool()>& done) const {
  const auto begin = std::chrono::steady_clock::now();
  while (!done()) {
    const auto passed = std::chrono::steady_clock::now() - begin;
    if (passed > patience_) return false;
    if (passed < kSpin)
      std::this_thread::yield();
    else
      std::this_thread::sleep_for(kPause);
  }
  return true;
}

void NcclChannel::require_alive(const std::string& what) const {
  if (failure_.empty()) return;
  throw CommError(what + " on rank " + std::to_string(rank_) + " of " + std::to_string(size_) +
                  ": the group was aborted after an earlier failure (" + failure_ +
                  "). End the run on every rank");
}

void NcclChannel::fail(const std::string& what, const std::string& why) {
  failure_ = what + ": " + why;
  if (comm_) ncclCommAbort(comm_);
  comm_ = nullptr;
  throw CommError(what + " on rank " + std::to_string(rank_) + " of " + std::to_string(size_) +
                  ": " + why +
                  " (the ranks cannot go on together). Check that every rank makes the same call "
                  "with the same counts, then nvidia-smi and the network; NCCL_DEBUG=INFO tells "
                  "more");
}

void NcclChannel::fail(const std::string& what, int code) {
  const char* last = ncclGetLastError(comm_);
  fail(what, std::string("NCCL reports ") + ncclGetErrorString(static_cast<ncclResult_t>(code)) +
                 " (" + std::to_string(code) + ", wanted 0)" +
                 (last && *last ? std::string(": ") + last : std::string()));
}

void NcclChannel::fail_late(const std::string& what) {
  fail(what, "not done after " + std::to_string(patience_.count()) +
                 " ms, and NCCL reports no error: another rank is lost or makes another call");
}

}  // namespace vlmark::parallel
