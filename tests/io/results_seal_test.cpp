#include "src/io/results_seal.hpp"

#include <gmock/gmock.h>

#include <fstream>

#include "src/base/error.hpp"
#include "src/io/event_log.hpp"
#include "src/io/file.hpp"
#include "src/io/results_folder.hpp"

namespace vlmark::io {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Results : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) /
              testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(folder_);
    fs::create_directories(folder_ / "journals");
    fs::create_directories(folder_ / "model");
  }
  void TearDown() override { fs::remove_all(folder_); }
  void flip(const std::string& name, std::streamoff at) {
    std::fstream file(folder_ / name, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(at);
    const char old = static_cast<char>(file.get());
    file.seekp(at);
    file.put(static_cast<char>(old ^ 1));
  }
  fs::path folder_;
};

TEST_F(Results, EveryFlippedByteIsFoundWithItsFileAndPlace) {
  write_text_file(folder_ / "result.json", std::string(10'000, 'x'));
  write_text_file(folder_ / "journals" / "rank-0", std::string(5'000, 'y'));
  write_text_file(folder_ / "model" / "weights", "not part of the record");
  seal_results(folder_);
  EXPECT_THAT(broken_seals(folder_), IsEmpty());
  flip("model/weights", 3);
  EXPECT_THAT(broken_seals(folder_), IsEmpty());
  flip("result.json", 9'999);
  EXPECT_THAT(broken_seals(folder_),
              ElementsAre(HasSubstr("result.json: was changed in bytes 8192 to 9999")));
  flip("result.json", 9'999);
  EXPECT_THAT(broken_seals(folder_), IsEmpty());
  flip("journals/rank-0", 100);
  flip("result.json", 0);
  flip("result.json", 5'000);
  EXPECT_THAT(broken_seals(folder_),
              ElementsAre(HasSubstr("rank-0: was changed in bytes 0 to 4095"),
                          HasSubstr("result.json: was changed in bytes 0 to 8191")));
}

TEST_F(Results, TheSealItselfIsSealed) {
  write_text_file(folder_ / "result.json", "{}");
  seal_results(folder_);
  const auto size = static_cast<std::streamoff>(fs::file_size(folder_ / "manifest.sha256"));
  for (std::streamoff at = 0; at < size; ++at) {
    flip("manifest.sha256", at);
    EXPECT_THAT(broken_seals(folder_), testing::Not(IsEmpty())) << at;
    flip("manifest.sha256", at);
  }
  const auto blocks = static_cast<std::streamoff>(fs::file_size(folder_ / "blocks.json"));
  for (std::streamoff at = 0; at < blocks; ++at) {
    flip("blocks.json", at);
    EXPECT_THAT(broken_seals(folder_), testing::Not(IsEmpty())) << at;
    flip("blocks.json", at);
  }
  EXPECT_THAT(broken_seals(folder_), IsEmpty());
}

TEST_F(Results, FilesThatCameOrWentAreNamed) {
  write_text_file(folder_ / "a", "1");
  write_text_file(folder_ / "b", "2");
  EXPECT_THROW(broken_seals(folder_), IoError);
  seal_results(folder_);
  fs::remove(folder_ / "a");
  write_text_file(folder_ / "c", "3");
  EXPECT_THAT(broken_seals(folder_), ElementsAre(HasSubstr("c: was not there"),
                                                 HasSubstr("a: was there when the run ended")));
}

TEST_F(Results, NoEventCanBeChangedTakenOutOrPutIn) {
  EventLog log(folder_);
  for (const char* event : {"start", "set up", "trained", "result"}) log.note(event, {{"x", "1"}});
  const fs::path path = folder_ / "events.jsonl";
  const std::string whole = read_text_file(path);
  EXPECT_THAT(broken_links(folder_), IsEmpty());
  std::string text = whole;
  text.replace(text.find("set up"), 6, "set UP");
  write_text_file(path, text);
  EXPECT_THAT(broken_links(folder_), ElementsAre(HasSubstr("line 3 does not follow")));
  write_text_file(path, whole.substr(whole.find('\n') + 1));
  EXPECT_THAT(broken_links(folder_), testing::Not(IsEmpty()));
  write_text_file(path, whole + whole.substr(0, whole.find('\n') + 1));
  EXPECT_THAT(broken_links(folder_), ElementsAre(HasSubstr("line 5 is event 0")));
  write_text_file(path, "");
  EXPECT_THAT(broken_links(folder_), ElementsAre(HasSubstr("is empty")));
}

TEST_F(Results, LaunchesAreDeclaredBeforeTheFirst) {
  const fs::path series = folder_ / "series";
  const auto finish = [](const Launch& launch) {
    create_results_folder(launch.folder, false);
    write_text_file(record_path(launch.folder), "");
  };
  for (int k = 1; k <= 3; ++k) {
    const Launch launch = next_launch(series, 3);
    EXPECT_EQ(launch.index, k);
    if (k == 2)
      create_results_folder(launch.folder, false);  // and dies
    else
      finish(launch);
  }
  EXPECT_THROW(next_launch(series, 4), IoError);
  const Launch replacement = next_launch(series, 3);  // of the one that failed
  EXPECT_EQ(replacement.index, 4);
  finish(replacement);
  EXPECT_THROW(next_launch(series, 3), IoError);
  EXPECT_EQ(launches_of(series).size(), 4U);
  fs::remove_all(series / "run-1");
  EXPECT_EQ(launches_of(series).size(), 3U);
  EXPECT_THROW(next_launch(series, 3), IoError);
}

}  // namespace
}  // namespace vlmark::io
