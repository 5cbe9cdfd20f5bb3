#pragma once

// Private to the box: includes hdf5.h.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "parallel/communicator.hpp"
#include "src/io/hdf5_handle.hpp"

namespace vlmark::io {

/// What one rank writes of a dataset: the block [offset, offset + count) of extents `extents`.
/// A count of zero writes nothing (and still takes part).
struct Block {
  std::vector<hsize_t> extents, offset, count;
};

/// An HDF5 file that all ranks of a communicator write together through MPI-IO (one rank: without
/// MPI). Every call is collective, with equal arguments but for the block and its values. Groups in
/// a path are made as needed. Throws IoError with the file and the dataset.
class Hdf5Writer {
 public:
  /// `user_block`: bytes at the begin that are left to the caller; 0 or a power of two from 512 on.
  Hdf5Writer(const std::filesystem::path& path, parallel::Communicator& comm,
             std::size_t user_block);

  void write(const std::string& dataset, const Block& block, std::span<const std::int64_t> values);
  void write(const std::string& dataset, const Block& block, std::span<const std::uint64_t> values);
  void write(const std::string& dataset, const Block& block, std::span<const double> values);
  /// `width`: bytes of the longest string over all ranks.
  void write(const std::string& dataset, const Block& block, const std::vector<std::string>& values,
             std::size_t width);
  /// A single text, equal on all ranks.
  void write_text(const std::string& dataset, const std::string& text);

  /// `object` is "/" or a dataset; values equal on all ranks.
  void set_attribute(const std::string& object, const std::string& name, const std::string& value);
  void set_attribute(const std::string& object, const std::string& name,
                     const std::vector<std::string>& values);

  /// Flushes and closes. Nothing may follow.
  void close();

 private:
  std::string at(const std::string& dataset) const { return path_ + ": " + dataset; }
  void write_block(const std::string& dataset, const Block& block, hid_t file_type,
                   hid_t memory_type, const void* values);
  void write_attribute(const std::string& object, const std::string& name, hid_t space,
                       const std::vector<std::string>& values);

  QuietHdf5 quiet_;
  std::string path_;
  int rank_;
  Hdf5Handle transfer_, links_;
  std::optional<Hdf5Handle> file_;
};

}  // namespace vlmark::io
