#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "parallel/communicator.hpp"

// The types behind cudaStream_t, CUevent_st* and ncclComm_t; results are numbers of cudaError_t and
// ncclResult_t.
struct CUstream_st;
struct CUevent_st;
struct ncclComm;

namespace vlmark::parallel {

/// Throws CommError naming `call` unless `code` is success.
void require_cuda(int code, const char* call);

/// A point on a stream.
class NcclEvent {
 public:
  explicit NcclEvent(CUstream_st* stream);
  ~NcclEvent();
  NcclEvent(const NcclEvent&) = delete;
  NcclEvent& operator=(const NcclEvent&) = delete;
  bool complete() const;
  /// What is put on `stream` from here on starts after the event.
  void hold(CUstream_st* stream) const;

 private:
  CUevent_st* event_ = nullptr;
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

  ncclComm* comm() const { return comm_; }
  CUstream_st* stream() const { return stream_; }

  /// Starts `calls`, as one group, behind what `queue` holds (null: at once).
  void start(const std::string& what, const std::function<int()>& calls);
  void start_after(void* queue) const;
  /// Returns once `event` is complete. Throws CommError, the group then is aborted.
  void wait(const NcclEvent& event, const std::string& what);
  /// Aborts the group: nothing of it is left on the device.
  [[noreturn]] void fail(const std::string& what, const std::string& why);

 private:
  void require_alive(const std::string& what) const;
  void settle(int code, const std::string& what);
  [[noreturn]] void fail(const std::string& what, int code);
  [[noreturn]] void fail_late(const std::string& what);
  /// Calls `done` until it is true or `patience` is over; false: over.
  bool poll(const std::function<bool()>& done) const;

  std::chrono::milliseconds patience_;
  int rank_, size_;
  ncclComm* comm_ = nullptr;
  CUstream_st* stream_ = nullptr;
  std::string failure_;  ///< empty: alive
};

}  // namespace vlmark::parallel
