// Compiled only where Kokkos runs on CUDA. Host code: it needs the runtime's header, not nvcc.

#include <cuda_runtime_api.h>

#include <string>
#include <thread>

#include "src/base/error.hpp"
#include "src/engine/queue.hpp"

namespace vlmark::engine {
namespace {

void require_success(cudaError_t code, const char* call) {
  if (code == cudaSuccess) return;
  throw DeviceError(std::string("cuda queue: ") + call + " failed: " + cudaGetErrorName(code) +
                    ", " + cudaGetErrorString(code) +
                    " (the device's work is lost). Look for the first error of this rank; "
                    "CUDA_LAUNCH_BLOCKING=1 names the kernel");
}

class CudaEvent final : public Event {
 public:
  explicit CudaEvent(cudaStream_t stream) {
    require_success(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming), "cudaEventCreate");
    const cudaError_t code = cudaEventRecord(event_, stream);
    if (code != cudaSuccess) cudaEventDestroy(event_);
    require_success(code, "cudaEventRecord");
  }
  // The runtime keeps what is in flight until the event has passed.
  ~CudaEvent() override { cudaEventDestroy(event_); }
  CudaEvent(const CudaEvent&) = delete;
  CudaEvent& operator=(const CudaEvent&) = delete;

  void wait() const override {
    require_success(cudaEventSynchronize(event_), "cudaEventSynchronize");
  }
  bool wait_for(std::chrono::milliseconds time) const override {
    const auto end = std::chrono::steady_clock::now() + time;
    while (true) {  // the runtime has no wait with a limit
      const cudaError_t code = cudaEventQuery(event_);
      if (code == cudaSuccess) return true;
      if (code != cudaErrorNotReady) require_success(code, "cudaEventQuery");
      if (std::chrono::steady_clock::now() >= end) return false;
      std::this_thread::sleep_for(std::chrono::microseconds(20));
    }
  }
  void hold(cudaStream_t stream) const {
    require_success(cudaStreamWaitEvent(stream, event_, 0), "cudaStreamWaitEvent");
  }

 private:
  cudaEvent_t event_ = nullptr;
};

class CudaQueue final : public Queue {
 public:
  explicit CudaQueue(bool high_priority) {
    int lowest = 0, highest = 0;
    require_success(cudaDeviceGetStreamPriorityRange(&lowest, &highest),
                    "cudaDeviceGetStreamPriorityRange");
    require_success(cudaStreamCreateWithPriority(&stream_, cudaStreamNonBlocking,
                                                 high_priority ? highest : lowest),
                    "cudaStreamCreate");
  }
  ~CudaQueue() override {
    cudaStreamSynchronize(stream_);  // an error was thrown where somebody waited
    cudaStreamDestroy(stream_);
  }
  CudaQueue(const CudaQueue&) = delete;
  CudaQueue& operator=(const CudaQueue&) = delete;

  void submit(std::function<void()> work) override { work(); }
  EventPtr record() override { return std::make_shared<CudaEvent>(stream_); }
  void wait(EventPtr event) override {
    if (const auto* on_device = dynamic_cast<const CudaEvent*>(event.get()))
      on_device->hold(stream_);
    else
      event->wait();
  }
  bool blocks_on(const Event& event) const override {
    return dynamic_cast<const CudaEvent*>(&event) == nullptr;
  }
  void* native() const override { return stream_; }

 private:
  cudaStream_t stream_ = nullptr;
};

}  // namespace

std::unique_ptr<Queue> cuda_queue(bool high_priority) {
  return std::make_unique<CudaQueue>(high_priority);
}

}  // namespace vlmark::engine
