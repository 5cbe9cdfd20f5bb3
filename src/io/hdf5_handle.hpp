#pragma once

// Private to the box: includes hdf5.h.

#include <hdf5.h>

#include <string>
#include <utility>

namespace vlmark::io {

/// An HDF5 identifier that is released with its scope.
class Hdf5Handle {
 public:
  using Release = herr_t (*)(hid_t);
  /// Throws IoError `<where>: <what> (<HDF5's own reason>)` for a negative id.
  Hdf5Handle(hid_t id, Release release, const std::string& where, const char* what);
  ~Hdf5Handle();
  Hdf5Handle(Hdf5Handle&& other) noexcept
      : id_(std::exchange(other.id_, H5I_INVALID_HID)), release_(other.release_) {}
  Hdf5Handle& operator=(Hdf5Handle&&) = delete;
  operator hid_t() const { return id_; }

  /// Releases now; throws IoError when that fails (closing a file writes).
  void close(const std::string& where);

 private:
  hid_t id_;
  Release release_;
};

/// Keeps HDF5 from printing its error stack while it lives; the reason goes into the IoError.
class QuietHdf5 {
 public:
  QuietHdf5();
  ~QuietHdf5();
  QuietHdf5(const QuietHdf5&) = delete;
  QuietHdf5& operator=(const QuietHdf5&) = delete;

 private:
  H5E_auto2_t printer_ = nullptr;
  void* data_ = nullptr;
};

/// Throws IoError as above when an HDF5 call returned a negative status.
void require_hdf5(herr_t status, const std::string& where, const char* what);

/// A type of strings with exactly `size` bytes (at least 1), padded with zeros, UTF-8.
Hdf5Handle string_type(std::size_t size);

}  // namespace vlmark::io
