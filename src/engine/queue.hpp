#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace vlmark::engine {

/// A point in a queue: complete once everything submitted before it has ended. Thread-safe.
class Event {
 public:
  virtual ~Event() = default;
  /// Blocks the calling thread. Throws DeviceError where a device failed.
  virtual void wait() const = 0;
  /// The same for at most `time`; true: complete.
  virtual bool wait_for(std::chrono::milliseconds time) const = 0;
};
using EventPtr = std::shared_ptr<const Event>;

/// An in-order lane of work. Queues run side by side; events are the only order between them. One
/// thread submits.
class Queue {
 public:
  virtual ~Queue() = default;

  /// Appends work, which must not throw (an exception out of it ends the job).
  virtual void submit(std::function<void()> work) = 0;
  /// The point behind everything submitted so far.
  virtual EventPtr record() = 0;
  /// What is submitted from here on starts after `event`.
  virtual void wait(EventPtr event) = 0;
  /// Whether wait(event) blocks the calling thread, which then cannot watch over the other queues.
  virtual bool blocks_on(const Event& event) const = 0;
  /// The device's own handle (cudaStream_t) for kernels and transports; null on a host.
  virtual void* native() const { return nullptr; }
};

/// Runs work on the calling thread, inside submit(): the compute lane of a host, whose kernels have
/// their own threads. `fence` ends what the work left running; it is called where an event is
/// recorded.
std::unique_ptr<Queue> inline_queue(std::function<void()> fence = {});

/// Runs work on a thread of its own: a communication lane of a host. Inside a blocking transport
/// call this is the progress thread. The transport must admit calls from any thread (run_ranks
/// requires MPI_THREAD_MULTIPLE). `name` is for messages.
///
/// The destructor drops nothing: it waits for what was submitted, at most `patience`, and then ends
/// the job, because a thread inside a transport that never answers cannot be stopped.
std::unique_ptr<Queue> thread_queue(std::string name,
                                    std::chrono::milliseconds patience = std::chrono::seconds(10));

/// A CUDA stream of its own, `high_priority` for messages that kernels should not hold up. Work
/// that is submitted runs at once and puts its kernels and copies on native(). Waiting for an event
/// of another stream costs the host nothing. Throws DeviceError. Only in builds for CUDA.
std::unique_ptr<Queue> cuda_queue(bool high_priority);

}  // namespace vlmark::engine
