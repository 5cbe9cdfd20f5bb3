#pragma once

// Private to the box: includes hdf5.h.

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "src/io/hdf5_handle.hpp"

namespace vlmark::io {

/// Reads an HDF5 file, serially. Throws IoError with the file and the dataset.
class Hdf5Reader {
 public:
  explicit Hdf5Reader(const std::filesystem::path& path);

  /// Of a dataset.
  std::vector<std::int64_t> extents(const std::string& dataset) const;
  /// All elements in row-major order. Throws IoError when the extents are not `extents`, or say
  /// more bytes than the file has: the record's datasets are stored whole, so that a damaged file
  /// asks for no memory that it does not fill.
  std::vector<std::int64_t> integers(const std::string& dataset,
                                     const std::vector<std::int64_t>& extents) const;
  std::vector<std::uint64_t> unsigned_integers(const std::string& dataset,
                                               const std::vector<std::int64_t>& extents) const;
  std::vector<double> doubles(const std::string& dataset,
                              const std::vector<std::int64_t>& extents) const;
  std::vector<std::string> strings(const std::string& dataset,
                                   const std::vector<std::int64_t>& extents) const;
  /// Every single text of the file by its place, without the leading slash.
  std::map<std::string, std::string> texts() const;

  std::string attribute(const std::string& object, const std::string& name) const;
  std::vector<std::string> list_attribute(const std::string& object, const std::string& name) const;

 private:
  std::string at(const std::string& dataset) const { return path_ + ": " + dataset; }
  Hdf5Handle open_dataset(const std::string& dataset) const;
  std::size_t require_extents(const std::string& dataset,
                              const std::vector<std::int64_t>& expected) const;
  void require_stored(const std::string& where, std::size_t count, std::size_t width) const;
  std::size_t text_width(hid_t type, const std::string& where) const;
  template <class T>
  std::vector<T> read(const std::string& dataset, const std::vector<std::int64_t>& extents,
                      H5T_class_t type_class, hid_t memory_type) const;

  QuietHdf5 quiet_;
  std::string path_;
  std::uint64_t file_bytes_ = 0;
  Hdf5Handle file_;
};

}  // namespace vlmark::io
