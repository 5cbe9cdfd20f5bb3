#pragma once

#include <cuda_runtime_api.h>
#include <nccl.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "parallel/communicator.hpp"

namespace vlmark::parallel {

/// Throws CommError naming `call` unless `code` is success.
void require_cuda(cudaError_t code, const char* call);

/// A point on a stream.
class NcclEvent {
 public:
  explicit NcclEvent(cudaStream_t stream);
  ~NcclEvent();
  NcclEvent(const NcclEvent&) = delete;
  NcclEvent& operator=(const NcclEvent&) = delete;
  bool complete() const;
  /// What is put on `stream` from here on starts after the event.
  void hold(cudaStream_t stream) const;

 private:
  cudaEvent_t event_ = nullptr;
};

/// One NCCL group and the stream its operations run on. The handle does not block: every call is
/// polled until NCCL has done it, fails, or `patience` is over.
class NcclChannel {
 public:
  /// Collective over `host`, which carries the group's id from rank 0.
  NcclChannel(Communicator& host, std::chrono::milliseconds patience);
  ~NcclChannel();
  NcclChannel(const NcclChannel&) = delete;
  NcclChannel& operator=(const NcclChannel&) = delete;

  ncclComm_t comm() const { return comm_; }
  cudaStream_t stream() const { return stream_; }

  /// Starts `calls`, as one group, behind what `queue` holds (null: at once).
  void start(const std::string& what, const std::function<ncclResult_t()>& calls);
  void start_after(void* queue) const;
  /// Returns once `event` is complete. Throws CommError, the group then is aborted.
  void wait(const NcclEvent& event, const std::string& what);
  /// Aborts the group: nothing of it is left on the device.
  [[noreturn]] void fail(const std::string& what, const std::string& why);

 private:
  void require_alive(const std::string& what) const;
  void settle(ncclResult_t code, const std::string& what);
  [[noreturn]] void fail(const std::string& what, ncclResult_t code);
  [[noreturn]] void fail_late(const std::string& what);
  /// Calls `done` until it is true or `patience` is over; false: over.
  bool poll(const std::function<bool()>& done) const;

  std::chrono::milliseconds patience_;
  int rank_, size_;
  ncclComm_t comm_ = nullptr;
  cudaStream_t stream_ = nullptr;
  std::string failure_;  ///< empty: alive
};

}  // namespace vlmark::parallel
