#pragma once

#include <cstdint>
#include <memory>

namespace vlmark::engine {

/// The device that this process computes on, from construction to destruction: its threads on a
/// host; with CUDA the GPU of this rank's place on its node. One at a time; every engine lives
/// inside.
class Device {
 public:
  /// Throws DeviceError where there is none.
  Device();
  ~Device();
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

 private:
  struct Session;
  std::unique_ptr<Session> session_;
};

/// What may still be allocated for tensors, in byte: of the device, or where the host computes, of
/// all processes of this node together. 0: unknown. Needs a Device.
std::int64_t available_bytes();

}  // namespace vlmark::engine
