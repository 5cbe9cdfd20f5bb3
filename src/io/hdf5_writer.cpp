#include "src/io/hdf5_writer.hpp"

#include <mpi.h>

#include <algorithm>

#include "parallel/mpi_communicator.hpp"
#include "src/base/contracts.hpp"
#include "src/base/error.hpp"

namespace vlmark::io {
namespace {

/// Properties of a file: MPI-IO over the ranks of `comm`, or the plain driver for one rank.
Hdf5Handle file_access(parallel::Communicator& comm) {
  Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "HDF5 file access", "cannot be set");
  // A format that HDF5 1.8 reads: what a laptop has.
  require_hdf5(H5Pset_libver_bounds(access, H5F_LIBVER_EARLIEST, H5F_LIBVER_V18),
               "HDF5 file access", "has no such format");
  if (comm.size() > 1)
    require_hdf5(
        H5Pset_fapl_mpio(access, MPI_Comm_f2c(parallel::fortran_handle(comm)), MPI_INFO_NULL),
        "HDF5 file access", "cannot use MPI-IO");
  return access;
}

Hdf5Handle transfer(parallel::Communicator& comm) {
  Hdf5Handle properties(H5Pcreate(H5P_DATASET_XFER), H5Pclose, "HDF5 transfer", "cannot be set");
  if (comm.size() > 1)
    require_hdf5(H5Pset_dxpl_mpio(properties, H5FD_MPIO_COLLECTIVE), "HDF5 transfer",
                 "cannot be collective");
  return properties;
}

Hdf5Handle intermediate_groups() {
  Hdf5Handle links(H5Pcreate(H5P_LINK_CREATE), H5Pclose, "HDF5 links", "cannot be set");
  require_hdf5(H5Pset_create_intermediate_group(links, 1), "HDF5 links", "cannot make groups");
  require_hdf5(H5Pset_char_encoding(links, H5T_CSET_UTF8), "HDF5 links", "cannot be UTF-8");
  return links;
}

/// `values` side by side, each filled up with zeros to `width` bytes.
std::string padded(const std::vector<std::string>& values, std::size_t width) {
  std::string joined;
  joined.reserve(values.size() * width);
  for (const std::string& value : values) {
    ensures(value.size() <= width);
    joined += value;
    joined.append(width - value.size(), '\0');
  }
  return joined;
}

}  // namespace

Hdf5Writer::Hdf5Writer(const std::filesystem::path& path, parallel::Communicator& comm,
                       std::size_t user_block)
    : path_(path.string()),
      rank_(comm.rank()),
      transfer_(transfer(comm)),
      links_(intermediate_groups()) {
  const Hdf5Handle access = file_access(comm);
  const Hdf5Handle creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose, path_, "cannot be created");
  require_hdf5(H5Pset_userblock(creation, user_block), path_, "cannot hold a user block");
  file_.emplace(H5Fcreate(path_.c_str(), H5F_ACC_TRUNC, creation, access), H5Fclose, path_,
                "cannot be created");
}

void Hdf5Writer::write_block(const std::string& dataset, const Block& block, hid_t file_type,
                             hid_t memory_type, const void* values) {
  const std::string where = at(dataset);
  const int rank = static_cast<int>(block.extents.size());
  expects(block.offset.size() == block.extents.size());
  expects(block.count.size() == block.extents.size());
  const Hdf5Handle space(H5Screate_simple(rank, block.extents.data(), nullptr), H5Sclose, where,
                         "its extents are refused");
  const Hdf5Handle memory(H5Screate_simple(rank, block.count.data(), nullptr), H5Sclose, where,
                          "its block is refused");
  const Hdf5Handle data(
      H5Dcreate2(*file_, dataset.c_str(), file_type, space, links_, H5P_DEFAULT, H5P_DEFAULT),
      H5Dclose, where, "cannot be created");
  const auto empty = [](const std::vector<hsize_t>& extents) {
    return std::find(extents.begin(), extents.end(), 0) != extents.end();
  };
  // MPI-IO refuses to write to a dataset without elements, for which no space is ever set aside.
  if (empty(block.extents)) return;
  if (empty(block.count)) {
    require_hdf5(H5Sselect_none(space), where, "cannot select nothing");
    require_hdf5(H5Sselect_none(memory), where, "cannot select nothing");
  } else {
    require_hdf5(H5Sselect_hyperslab(space, H5S_SELECT_SET, block.offset.data(), nullptr,
                                     block.count.data(), nullptr),
                 where, "its block is refused");
  }
  require_hdf5(H5Dwrite(data, memory_type, memory, space, transfer_, values), where,
               "cannot be written");
}

void Hdf5Writer::write(const std::string& dataset, const Block& block,
                       std::span<const std::int64_t> values) {
  write_block(dataset, block, H5T_STD_I64LE, H5T_NATIVE_INT64, values.data());
}
void Hdf5Writer::write(const std::string& dataset, const Block& block,
                       std::span<const std::uint64_t> values) {
  write_block(dataset, block, H5T_STD_U64LE, H5T_NATIVE_UINT64, values.data());
}
void Hdf5Writer::write(const std::string& dataset, const Block& block,
                       std::span<const double> values) {
  write_block(dataset, block, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, values.data());
}

void Hdf5Writer::write(const std::string& dataset, const Block& block,
                       const std::vector<std::string>& values, std::size_t width) {
  width = std::max<std::size_t>(width, 1);
  const Hdf5Handle type = string_type(width);
  write_block(dataset, block, type, type, padded(values, width).data());
}

void Hdf5Writer::write_text(const std::string& dataset, const std::string& text) {
  const std::string where = at(dataset);
  const Hdf5Handle type = string_type(text.size());
  const Hdf5Handle space(H5Screate(H5S_SCALAR), H5Sclose, where, "cannot be a scalar");
  const Hdf5Handle data(
      H5Dcreate2(*file_, dataset.c_str(), type, space, links_, H5P_DEFAULT, H5P_DEFAULT), H5Dclose,
      where, "cannot be created");
  if (rank_ != 0) require_hdf5(H5Sselect_none(space), where, "cannot select nothing");
  require_hdf5(H5Dwrite(data, type, space, space, transfer_, text.c_str()), where,
               "cannot be written");
}

void Hdf5Writer::write_attribute(const std::string& object, const std::string& name, hid_t space,
                                 const std::vector<std::string>& values) {
  const std::string where = at(object) + " attribute " + name;
  std::size_t width = 1;
  for (const std::string& value : values) width = std::max(width, value.size());
  const Hdf5Handle type = string_type(width);
  const Hdf5Handle attribute(H5Acreate_by_name(*file_, object.c_str(), name.c_str(), type, space,
                                               H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                             H5Aclose, where, "cannot be created");
  require_hdf5(H5Awrite(attribute, type, padded(values, width).data()), where, "cannot be written");
}

void Hdf5Writer::set_attribute(const std::string& object, const std::string& name,
                               const std::string& value) {
  const Hdf5Handle space(H5Screate(H5S_SCALAR), H5Sclose, at(object), "cannot hold a scalar");
  write_attribute(object, name, space, {value});
}

void Hdf5Writer::set_attribute(const std::string& object, const std::string& name,
                               const std::vector<std::string>& values) {
  const hsize_t count = values.size();
  const Hdf5Handle space(H5Screate_simple(1, &count, nullptr), H5Sclose, at(object),
                         "cannot hold a list");
  write_attribute(object, name, space, values);
}

void Hdf5Writer::close() {
  require_hdf5(H5Fflush(*file_, H5F_SCOPE_GLOBAL), path_, "cannot be flushed");
  file_->close(path_);
}

}  // namespace vlmark::io
