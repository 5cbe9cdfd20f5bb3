#pragma once

#include <cstdint>
#include <memory>
#include <string>

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

  /// Its address on the PCI bus, "0000:3b:00.0"; empty on a host.
  std::string pci() const;

 private:
  struct Session;
  std::unique_ptr<Session> session_;
};

/// What may still be allocated for tensors, in byte: of the device, or where the host computes, of
/// all processes of this node together. 0: unknown. Needs a Device.
std::int64_t available_bytes();

}  // namespace vlmark::engine
