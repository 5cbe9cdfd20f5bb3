#include "src/io/hdf5_reader.hpp"

#include "src/base/error.hpp"
#include "src/io/safetensors.hpp"

namespace vlmark::io {
namespace {

/// Text between position `begin` and the zeros that fill it up to `width`.
std::string unpadded(const std::string& joined, std::size_t begin, std::size_t width) {
  std::string text = joined.substr(begin, width);
  text.resize(text.find_last_not_of('\0') + 1);
  return text;
}

std::vector<std::string> split(const std::string& joined, std::size_t width) {
  std::vector<std::string> texts;
  for (std::size_t begin = 0; begin < joined.size(); begin += width)
    texts.push_back(unpadded(joined, begin, width));
  return texts;
}

void require_class(hid_t type, H5T_class_t expected, const std::string& where) {
  const H5T_class_t actual = H5Tget_class(type);
  if (actual != expected)
    throw IoError(where + ": holds elements of HDF5 class " + std::to_string(actual) +
                  " (expected " + std::to_string(expected) + "). Restore the record, or run again");
}

std::uint64_t size_of_file(const std::filesystem::path& path) {
  std::error_code failure;
  const auto size = std::filesystem::file_size(path, failure);
  return failure ? 0 : size;  // opening it will say what is wrong
}

}  // namespace

Hdf5Reader::Hdf5Reader(const std::filesystem::path& path)
    : path_(path.string()),
      file_bytes_(size_of_file(path)),
      file_(H5Fopen(path_.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose, path_,
            "cannot be read as HDF5") {}

Hdf5Handle Hdf5Reader::open_dataset(const std::string& dataset) const {
  return {H5Dopen2(file_, dataset.c_str(), H5P_DEFAULT), H5Dclose, at(dataset), "cannot be opened"};
}

std::vector<std::int64_t> Hdf5Reader::extents(const std::string& dataset) const {
  const Hdf5Handle data = open_dataset(dataset);
  const Hdf5Handle space(H5Dget_space(data), H5Sclose, at(dataset), "has no extents");
  const int dimensions = H5Sget_simple_extent_ndims(space);
  require_hdf5(dimensions, at(dataset), "has no extents");
  std::vector<hsize_t> extents(static_cast<std::size_t>(dimensions));
  require_hdf5(H5Sget_simple_extent_dims(space, extents.data(), nullptr), at(dataset),
               "has no extents");
  return {extents.begin(), extents.end()};
}

std::size_t Hdf5Reader::require_extents(const std::string& dataset,
                                        const std::vector<std::int64_t>& expected) const {
  const auto actual = extents(dataset);
  if (actual != expected)
    throw IoError(at(dataset) + " has extents " + to_text(actual) + " (expected " +
                  to_text(expected) + ": the record is damaged). Restore it, or run again");
  std::size_t count = 1;
  for (const std::int64_t extent : expected)
    if (__builtin_mul_overflow(count, static_cast<std::size_t>(extent), &count))
      throw IoError(at(dataset) + " has extents " + to_text(actual) +
                    " (more than 2^64 elements: the record is damaged). Restore it, or run again");
  return count;
}

void Hdf5Reader::require_stored(const std::string& where, std::size_t count,
                                std::size_t width) const {
  if (width > 0 && count <= file_bytes_ / width) return;
  throw IoError(where + ": has " + std::to_string(count) + " elements of " + std::to_string(width) +
                " bytes but the file has " + std::to_string(file_bytes_) +
                " bytes (the record is damaged). Restore it, or run again");
}

/// Bytes of each text; all are padded to the longest.
std::size_t Hdf5Reader::text_width(hid_t type, const std::string& where) const {
  require_class(type, H5T_STRING, where);
  if (H5Tis_variable_str(type) != 0)
    throw IoError(where +
                  ": holds texts of variable length (expected a fixed one: another program "
                  "wrote the record). Restore it, or run again");
  return H5Tget_size(type);
}

template <class T>
std::vector<T> Hdf5Reader::read(const std::string& dataset,
                                const std::vector<std::int64_t>& extents, H5T_class_t type_class,
                                hid_t memory_type) const {
  const std::size_t count = require_extents(dataset, extents);
  const Hdf5Handle data = open_dataset(dataset);
  const Hdf5Handle type(H5Dget_type(data), H5Tclose, at(dataset), "has no type");
  require_class(type, type_class, at(dataset));
  require_stored(at(dataset), count, H5Tget_size(type));
  std::vector<T> values(count);
  require_hdf5(H5Dread(data, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()),
               at(dataset), "cannot be read");
  return values;
}

std::vector<std::int64_t> Hdf5Reader::integers(const std::string& dataset,
                                               const std::vector<std::int64_t>& extents) const {
  return read<std::int64_t>(dataset, extents, H5T_INTEGER, H5T_NATIVE_INT64);
}
std::vector<std::uint64_t> Hdf5Reader::unsigned_integers(
    const std::string& dataset, const std::vector<std::int64_t>& extents) const {
  return read<std::uint64_t>(dataset, extents, H5T_INTEGER, H5T_NATIVE_UINT64);
}
std::vector<double> Hdf5Reader::doubles(const std::string& dataset,
                                        const std::vector<std::int64_t>& extents) const {
  return read<double>(dataset, extents, H5T_FLOAT, H5T_NATIVE_DOUBLE);
}

std::vector<std::string> Hdf5Reader::strings(const std::string& dataset,
                                             const std::vector<std::int64_t>& extents) const {
  const std::size_t count = require_extents(dataset, extents);
  const Hdf5Handle data = open_dataset(dataset);
  const Hdf5Handle type(H5Dget_type(data), H5Tclose, at(dataset), "has no type");
  const std::size_t width = text_width(type, at(dataset));
  require_stored(at(dataset), count, width);
  std::string joined(count * width, '\0');
  require_hdf5(H5Dread(data, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, joined.data()), at(dataset),
               "cannot be read");
  return split(joined, width);
}

std::map<std::string, std::string> Hdf5Reader::texts() const {
  std::vector<std::string> places;
  const auto visit = [](hid_t, const char* name, const H5O_info_t* info, void* out) -> herr_t {
    if (info->type == H5O_TYPE_DATASET)
      static_cast<std::vector<std::string>*>(out)->push_back(name);
    return 0;
  };
  require_hdf5(H5Ovisit2(file_, H5_INDEX_NAME, H5_ITER_INC, visit, &places, H5O_INFO_BASIC), path_,
               "its objects cannot be listed");
  std::map<std::string, std::string> texts;
  for (const std::string& place : places)
    if (extents(place).empty()) texts[place] = strings(place, {}).at(0);  // a scalar holds one
  return texts;
}

std::vector<std::string> Hdf5Reader::list_attribute(const std::string& object,
                                                    const std::string& name) const {
  const std::string where = at(object) + " attribute " + name;
  const Hdf5Handle attribute(
      H5Aopen_by_name(file_, object.c_str(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose,
      where, "cannot be opened");
  const Hdf5Handle type(H5Aget_type(attribute), H5Tclose, where, "has no type");
  const std::size_t width = text_width(type, where);
  const Hdf5Handle space(H5Aget_space(attribute), H5Sclose, where, "has no extents");
  const auto count = static_cast<std::size_t>(H5Sget_simple_extent_npoints(space));
  require_stored(where, count, width);
  std::string joined(count * width, '\0');
  require_hdf5(H5Aread(attribute, type, joined.data()), where, "cannot be read");
  return split(joined, width);
}

std::string Hdf5Reader::attribute(const std::string& object, const std::string& name) const {
  const auto texts = list_attribute(object, name);
  if (texts.size() != 1)
    throw IoError(at(object) + " attribute " + name + " holds " + std::to_string(texts.size()) +
                  " texts (expected one: the record is damaged). Restore it, or run again");
  return texts.front();
}

}  // namespace vlmark::io
