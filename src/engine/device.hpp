#pragma once

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

}  // namespace vlmark::engine
