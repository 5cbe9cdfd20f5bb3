#include "src/io/record_extents.hpp"

#include "src/io/hdf5_handle.hpp"

namespace vlmark::io {
namespace {

herr_t note(hid_t file, const char* name, const H5O_info_t* info, void* extents) {
  if (info->type != H5O_TYPE_DATASET) return 0;
  const hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
  if (dataset < 0) return -1;
  const haddr_t offset = H5Dget_offset(dataset);
  const hsize_t bytes = H5Dget_storage_size(dataset);
  H5Dclose(dataset);
  if (offset != HADDR_UNDEF && bytes > 0)
    (*static_cast<nlohmann::json*>(extents))["/" + std::string(name)] = {offset, bytes};
  return 0;
}

}  // namespace

nlohmann::json record_extents(const std::filesystem::path& record) {
  const QuietHdf5 quiet;
  const std::string where = record.string();
  const Hdf5Handle file(H5Fopen(where.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose, where,
                        "cannot be opened");
  nlohmann::json extents = nlohmann::json::object();
  H5Ovisit(file, H5_INDEX_NAME, H5_ITER_NATIVE, note, &extents);
  return extents;
}

std::string tables_within(const nlohmann::json& extents, std::size_t begin, std::size_t end) {
  std::string names;
  for (const auto& [name, extent] : extents.items()) {
    const auto first = extent.at(0).get<std::size_t>(), bytes = extent.at(1).get<std::size_t>();
    if (first < end && begin < first + bytes) names += (names.empty() ? "" : ", ") + name;
  }
  return names.empty() ? "structure of the file" : names;
}

}  // namespace vlmark::io
