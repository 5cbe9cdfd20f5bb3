#include "src/io/hdf5_probe.hpp"

#include <unistd.h>

#include "parallel/phase.hpp"
#include "parallel/self_communicator.hpp"
#include "src/base/error.hpp"
#include "src/io/hdf5_reader.hpp"
#include "src/io/hdf5_writer.hpp"

namespace vlmark::io {

namespace fs = std::filesystem;

std::string hdf5_version() {
  unsigned major = 0, minor = 0, release = 0;
  H5get_libversion(&major, &minor, &release);
  return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(release);
}

std::string hdf5_problem(const fs::path& folder) {
  std::error_code failure;
  fs::path there = fs::absolute(folder, failure);
  while (!fs::exists(there, failure) && there.has_relative_path()) there = there.parent_path();
  const fs::path file =
      there / (".vlmark-" + parallel::host_name() + "-" + std::to_string(getpid()) + ".h5");
  std::string problem;
  try {
    const auto alone = parallel::self_communicator();
    Hdf5Writer writer(file, *alone, 0);
    writer.write_text("probe", "written");
    writer.close();
    if (Hdf5Reader(file).texts().at("probe") != "written") problem = "reads something else";
  } catch (const IoError& e) {
    problem = e.what();
  }
  fs::remove(file, failure);
  return problem;
}

}  // namespace vlmark::io
