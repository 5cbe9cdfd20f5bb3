// Records that are sound HDF5 and no sound record.
#include <hdf5.h>

#include <fstream>

#include "parallel/self_communicator.hpp"
#include "src/base/error.hpp"
#include "src/io/file.hpp"
#include "src/io/record.hpp"
#include "src/io/record_seal.hpp"
#include "src/io/results_folder.hpp"
#include "tests/io/support.hpp"

namespace vlmark::test {
namespace {

/// A record of one rank and two steps, to be damaged by a test.
class RecordFault : public testing::Test {
 protected:
  RecordFault() {
    io::create_results_folder(folder_.path(), false);
    io::JournalWriter journal(io::journal_path(folder_.path(), 0), 0, 1);
    for (std::int64_t step = 1; step < 3; ++step) {
      append(journal, io::StepTiming{.step = step});
      append(journal, io::StepScalars{.step = step, .loss = 1.5});
      append(journal, io::StepCounters{.step = step});
    }
    append(journal, io::MemoryPeak{"parameters", 1000, 1001});
    append(journal, io::Text{"config", "seed = 1\n"});
    journal.close();
    const auto self = parallel::self_communicator();
    io::merge_journals(*self, folder_.path(), {"measured", "", "", {"load"}, {"compute"}});
  }
  ~RecordFault() override { close(); }
  void open() {
    file_ = H5Fopen(io::record_path(folder_.path()).c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    ASSERT_GE(file_, 0);
  }
  void close() {
    if (file_ >= 0) H5Fclose(file_);
    file_ = -1;
  }

  /// Puts a dataset in the place of another; nothing is written to it, so that it takes no room.
  void replace(const char* name, hid_t type, const std::vector<hsize_t>& extents) {
    H5Ldelete(file_, name, H5P_DEFAULT);
    const hid_t space = H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr);
    create(name, type, space);
  }
  void create(const char* name, hid_t type, hid_t space) {
    const hid_t data = H5Dcreate2(file_, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    ASSERT_GE(data, 0);
    H5Dclose(data);
    H5Sclose(space);
  }
  /// Puts an attribute of the root group in the place of another.
  void replace_attribute(const char* name, hid_t type, hid_t space) {
    H5Adelete(file_, name);
    const hid_t attribute = H5Acreate2(file_, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    ASSERT_GE(attribute, 0);
    H5Aclose(attribute);
    H5Sclose(space);
  }
  void expect_refused(const std::vector<std::string>& parts) {
    close();
    io::seal_record(io::record_path(folder_.path()));
    expect_error<IoError>([&] { io::read_record(folder_.path()); }, parts);
  }

  TemporaryFolder folder_;
  hid_t file_ = -1;
};

TEST_F(RecordFault, TheSoundRecordIsRead) {
  const auto record = io::read_record(folder_.path());
  EXPECT_EQ(record.ranks, 1);
  EXPECT_EQ(record.steps.size(), 2u);
}

/// HDF5's parser ends the program on some of these.
TEST_F(RecordFault, AnyChangedByteOrLengthIsRefused) {
  const auto path = io::record_path(folder_.path());
  const std::string sound = io::read_text_file(path);
  const auto expect_damage = [&](const std::string& bytes, const char* part) {
    std::ofstream(path, std::ios::binary) << bytes;
    expect_error<IoError>([&] { io::read_record(folder_.path()); }, {"samples.h5", part});
  };
  for (std::size_t at = io::kSealBytes; at < sound.size(); at += 37) {
    std::string bytes = sound;
    bytes[at] = static_cast<char>(~bytes[at]);
    expect_damage(bytes, "changed after the run");
  }
  for (const std::size_t size : {std::size_t{0}, std::size_t{100}, io::kSealBytes - 1})
    expect_damage(sound.substr(0, size), "is no record of vlmark");
  expect_damage(sound.substr(0, sound.size() - 1), "sealed were");
  expect_damage(sound + "x", "sealed were");
  expect_damage(sound.substr(io::kSealBytes), "is no record of vlmark");
  std::ofstream(path, std::ios::binary) << sound;
  EXPECT_NO_THROW(io::read_record(folder_.path()));
}

TEST_F(RecordFault, ScalarInPlaceOfTheSteps) {
  open();
  replace("/steps/loss", H5T_IEEE_F64LE, {});  // where a scalar is, a text is expected
  expect_refused({"steps/loss", "HDF5 class 1 (expected 3)"});
}

TEST_F(RecordFault, MoreDimensionsThanSteps) {
  open();
  replace("/steps/loss", H5T_IEEE_F64LE, {2, 1});
  expect_refused({"/steps/loss has 2 dimensions"});
}

TEST_F(RecordFault, NoDataspace) {
  open();
  H5Ldelete(file_, "/steps/loss", H5P_DEFAULT);
  create("/steps/loss", H5T_IEEE_F64LE, H5Screate(H5S_NULL));
  expect_refused({"steps/loss", "HDF5 class 1"});
}

/// Storage is set aside late, so that a file of a few kilobytes may say any extents.
TEST_F(RecordFault, MoreElementsThanTheFileHasBytes) {
  open();
  constexpr hsize_t many = hsize_t{1} << 40;
  for (const char* name : {"loss", "step", "grad_norm", "learning_rate"})
    replace((std::string("/steps/") + name).c_str(),
            std::string(name) == "step" ? H5T_STD_I64LE : H5T_IEEE_F64LE, {many});
  expect_refused({"1099511627776 elements of 8 bytes", "the record is damaged"});
}

TEST_F(RecordFault, RanksThatNothingIsStoredOf) {
  open();
  replace("/steps/start_ns", H5T_STD_I64LE, {0, hsize_t{1} << 40});
  expect_refused({"/steps/clock_offset_ns has extents [1] (expected [1099511627776]"});
}

TEST_F(RecordFault, TextsOfVariableLength) {
  open();
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, H5T_VARIABLE);
  H5Ldelete(file_, "/config", H5P_DEFAULT);
  create("/config", type, H5Screate(H5S_SCALAR));
  replace_attribute("kind", type, H5Screate(H5S_SCALAR));
  H5Tclose(type);
  expect_refused({"attribute kind", "variable length"});
}

TEST_F(RecordFault, AnAttributeWithoutText) {
  open();
  replace_attribute("schema_version", H5T_C_S1, H5Screate(H5S_NULL));
  expect_refused({"attribute schema_version holds 0 texts (expected one"});
}

TEST_F(RecordFault, ANumberInPlaceOfAText) {
  open();
  replace_attribute("schema_version", H5T_STD_I32LE, H5Screate(H5S_SCALAR));
  expect_refused({"attribute schema_version", "HDF5 class"});
}

}  // namespace
}  // namespace vlmark::test
