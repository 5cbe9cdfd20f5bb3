#include <hdf5.h>

#include "src/io/file.hpp"
#include "src/io/record.hpp"
#include "src/io/record_seal.hpp"
#include "src/io/results_folder.hpp"
#include "tests/fuzz/input_folder.hpp"
#include "tests/fuzz/sound_record.hpp"

using namespace vlmark;

namespace {

constexpr const char* datasets[] = {"/config",
                                    "/provenance/compiler",
                                    "/steps/step",
                                    "/steps/loss",
                                    "/steps/grad_norm",
                                    "/steps/learning_rate",
                                    "/steps/tokens",
                                    "/steps/start_ns",
                                    "/steps/end_ns",
                                    "/steps/phase_ns",
                                    "/steps/clock_offset_ns",
                                    "/steps/clock_error_ns",
                                    "/counters",
                                    "/memory/planned_bytes",
                                    "/memory/measured_bytes",
                                    "/trace/rank",
                                    "/trace/step",
                                    "/trace/kind",
                                    "/trace/lane",
                                    "/verification/rank",
                                    "/verification/rule",
                                    "/verification/value",
                                    "/gemm_kernels/rank",
                                    "/gemm_kernels/shape",
                                    "/gemm_kernels/count",
                                    "/plan/values/name",
                                    "/plan/values/value"};
constexpr const char* attributes[][2] = {{"/", "schema_version"},
                                         {"/", "rules_version"},
                                         {"/", "kind"},
                                         {"/", "start_utc"},
                                         {"/trace/kind", "kind"},
                                         {"/trace/lane", "lane"},
                                         {"/steps/tokens", "kind"},
                                         {"/steps/phase_ns", "phase"},
                                         {"/counters", "counter"},
                                         {"/memory/planned_bytes", "category"}};
constexpr hsize_t extents[] = {
    0, 1, 2, 3, 1000, hsize_t{1} << 20, hsize_t{1} << 40, hsize_t{1} << 62};

/// Takes the input apart; gives zeros at its end.
struct Reader {
  fuzz::Bytes rest;
  std::size_t below(std::size_t limit) {
    if (rest.empty()) return 0;
    const std::uint8_t byte = rest.front();
    rest = rest.subspan(1);
    return byte % limit;
  }
};

hid_t type_of(Reader& input) {
  const hid_t text = H5Tcopy(H5T_C_S1);
  H5Tset_size(text, 1 + input.below(200));
  switch (input.below(8)) {
    case 0:
      return H5Tcopy(H5T_STD_I64LE);
    case 1:
      return H5Tcopy(H5T_STD_U8BE);
    case 2:
      return H5Tcopy(H5T_IEEE_F64LE);
    case 3:
      return H5Tcopy(H5T_IEEE_F32BE);
    case 4:
      H5Tset_size(text, H5T_VARIABLE);
      return text;
    case 5:
      return H5Tvlen_create(H5T_STD_I8LE);
    case 6:
      return H5Tcreate(H5T_OPAQUE, 1 + input.below(100));
    default:
      return text;
  }
}

hid_t space_of(Reader& input) {
  const auto rank = input.below(5);
  if (rank == 4) return H5Screate(H5S_NULL);
  hsize_t sizes[3];
  for (hsize_t& size : sizes) size = extents[input.below(std::size(extents))];
  return rank == 0 ? H5Screate(H5S_SCALAR)
                   : H5Screate_simple(static_cast<int>(rank), sizes, nullptr);
}

/// Puts datasets and attributes of any type and extents in the place of those of a sound record.
/// What HDF5 refuses stays undone.
void edit(hid_t file, Reader input) {
  for (int edits = 0; edits < 8 && !input.rest.empty(); ++edits) {
    const std::size_t which = input.below(std::size(datasets) + std::size(attributes));
    const hid_t type = type_of(input), space = space_of(input);
    if (which < std::size(datasets)) {
      H5Ldelete(file, datasets[which], H5P_DEFAULT);
      const hid_t made =
          H5Dcreate2(file, datasets[which], type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
      if (made >= 0) H5Dclose(made);
    } else {
      const auto [object, name] = attributes[which - std::size(datasets)];
      H5Adelete_by_name(file, object, name, H5P_DEFAULT);
      const hid_t made =
          H5Acreate_by_name(file, object, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
      if (made >= 0) H5Aclose(made);
    }
    H5Tclose(type);
    if (space >= 0) H5Sclose(space);
  }
}

std::string sound_record() {
  const auto folder = fuzz::input_folder() / "sound";
  std::filesystem::create_directory(folder);
  fuzz::make_results(folder);
  return io::read_text_file(io::record_path(folder));
}

}  // namespace

/// An input that begins like a record is read as one; any other is a list of edits to a sound
/// record, which is then sealed: HDF5's own parser is guarded by the seal and not looked at.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static const std::string sound = sound_record();
  const fuzz::Bytes input(bytes, size);
  const auto path = io::record_path(fuzz::input_folder());
  std::size_t read_bytes = size;
  if (fuzz::text_of(input).starts_with("vlmark")) {
    fuzz::write_input("samples.h5", input);
  } else {
    fuzz::write_input("samples.h5",
                      {reinterpret_cast<const std::uint8_t*>(sound.data()), sound.size()});
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    fuzz::require(file >= 0, "the sound record cannot be opened");
    edit(file, {input});
    H5Fclose(file);
    io::seal_record(path);
    read_bytes = std::filesystem::file_size(path);
  }
  // HDF5 itself holds some MiB of caches; each of the 30 datasets may be as large as the file.
  fuzz::bounded(input, {(1 << 24) + 256 * read_bytes, 0},
                [&] { io::read_record(fuzz::input_folder()); });
  return 0;
}
