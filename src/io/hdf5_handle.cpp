#include "src/io/hdf5_handle.hpp"

#include <algorithm>

#include "src/base/error.hpp"

namespace vlmark::io {
namespace {

/// The innermost entry of HDF5's error stack says what really went wrong.
std::string reason() {
  std::string text;
  const auto take = [](unsigned, const H5E_error2_t* entry, void* out) -> herr_t {
    if (entry->desc != nullptr) *static_cast<std::string*>(out) = entry->desc;
    return 1;  // stop
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take, &text);
  return text.empty() ? "HDF5 gives no reason" : text;
}

}  // namespace

void require_hdf5(herr_t status, const std::string& where, const char* what) {
  if (status < 0) throw IoError(where + ": " + what + " (" + reason() + ")");
}

Hdf5Handle::Hdf5Handle(hid_t id, Release release, const std::string& where, const char* what)
    : id_(id), release_(release) {
  require_hdf5(id < 0 ? -1 : 0, where, what);
}

Hdf5Handle::~Hdf5Handle() {
  if (id_ >= 0) release_(id_);
}

void Hdf5Handle::close(const std::string& where) {
  require_hdf5(release_(std::exchange(id_, H5I_INVALID_HID)), where, "cannot be closed");
}

QuietHdf5::QuietHdf5() {
  H5Eget_auto2(H5E_DEFAULT, &printer_, &data_);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}
QuietHdf5::~QuietHdf5() { H5Eset_auto2(H5E_DEFAULT, printer_, data_); }

Hdf5Handle string_type(std::size_t size) {
  Hdf5Handle type(H5Tcopy(H5T_C_S1), H5Tclose, "string type", "cannot be made");
  require_hdf5(H5Tset_size(type, std::max<std::size_t>(size, 1)), "string type", "has no size");
  require_hdf5(H5Tset_strpad(type, H5T_STR_NULLPAD), "string type", "cannot be padded");
  require_hdf5(H5Tset_cset(type, H5T_CSET_UTF8), "string type", "cannot be UTF-8");
  return type;
}

}  // namespace vlmark::io
