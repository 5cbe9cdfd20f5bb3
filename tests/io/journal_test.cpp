#include "src/io/journal.hpp"

#include <fstream>

#include "src/base/error.hpp"
#include "src/io/rank_samples.hpp"
#include "src/io/results_folder.hpp"
#include "tests/io/support.hpp"

namespace vlmark::test {
namespace {

class Journal : public testing::Test {
 protected:
  /// Writes two steps of everything; returns the file's bytes.
  std::string write(bool close = true) {
    std::filesystem::remove(path_);
    io::JournalWriter journal(path_, 2, 5);
    for (std::int64_t step = 0; step < 2; ++step) {
      append(journal, io::StepTiming{step, 10 * step, 10 * step + 5, {1, 2, 3}});
      append(journal, io::StepScalars{step, 1.5 / (1.0 + step), 0.25, 1e-3, {7, 8, 9, 10, 11, 12}});
      append(journal, io::StepCounters{step, {1, 2, 3, 4, 5}, {6, 7, 8, 9, 10}, 11, 12});
      append(journal, io::ActionTiming{step, 3, 1, 4, -1, 100, 200});
    }
    append(journal, io::ClockOffset{-44, 7});
    append(journal, io::MemoryPeak{"parameters", 1000, 1001});
    append(journal, io::Verification{"V5", "loss falls", 0.2, 0.5, true});
    append(journal, io::Text{"config", "seed = 1\n"});
    append(journal, io::KernelUse{"gemm f32 1x2x3 nt", "onednn", 9});
    append(journal, io::PlanValue{"decoder.flops", 1e15});
    if (close)
      journal.close();
    else
      journal.flush();
    return io::read_text_file(path_);
  }
  /// Not write_text_file(): thousands of flushes to the device take long.
  void replace(const std::string& bytes) { std::ofstream(path_, std::ios::binary) << bytes; }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "rank-00002.journal";
};

TEST_F(Journal, RoundTripsBitForBit) {
  write();
  const auto samples = io::read_rank_samples(path_);
  EXPECT_EQ(samples.incomplete, "");
  EXPECT_EQ(samples.rank, 2);
  EXPECT_EQ(samples.ranks, 5);
  ASSERT_EQ(samples.timing.size(), 2u);
  EXPECT_EQ(samples.timing[1], (io::StepTiming{1, 10, 15, {1, 2, 3}}));
  EXPECT_EQ(samples.scalars[1], (io::StepScalars{1, 0.75, 0.25, 1e-3, {7, 8, 9, 10, 11, 12}}));
  EXPECT_EQ(samples.counters[0], (io::StepCounters{0, {1, 2, 3, 4, 5}, {6, 7, 8, 9, 10}, 11, 12}));
  EXPECT_EQ(samples.actions[1], (io::ActionTiming{1, 3, 1, 4, -1, 100, 200}));
  EXPECT_EQ(samples.clock, (io::ClockOffset{-44, 7}));
  EXPECT_EQ(samples.memory.at(0), (io::MemoryPeak{"parameters", 1000, 1001}));
  EXPECT_EQ(samples.verification.at(0), (io::Verification{"V5", "loss falls", 0.2, 0.5, true}));
  EXPECT_EQ(samples.texts.at(0), (io::Text{"config", "seed = 1\n"}));
  EXPECT_EQ(samples.kernels.at(0), (io::KernelUse{"gemm f32 1x2x3 nt", "onednn", 9}));
  EXPECT_EQ(samples.plan_values.at(0), (io::PlanValue{"decoder.flops", 1e15}));
}

TEST_F(Journal, AKilledRunKeepsWhatWasFlushed) {
  write(/*close=*/false);
  const auto samples = io::read_rank_samples(path_);
  EXPECT_EQ(samples.incomplete, "it has no closing record");
  EXPECT_EQ(samples.plan_values.size(), 1u);
}

TEST_F(Journal, MayBeCutAnywhere) {
  const auto whole = write();
  std::size_t records = 0;
  for (std::size_t size = 0; size < whole.size(); size += 3) {
    replace(whole.substr(0, size));
    const auto samples = io::read_rank_samples(path_);  // never throws
    ASSERT_NE(samples.incomplete, "") << size;
    ASSERT_GE(samples.timing.size(), records);
    records = samples.timing.size();
  }
  EXPECT_EQ(records, 2u);
  replace(whole.substr(0, 30));  // the opening record has 28 bytes
  EXPECT_EQ(io::read_rank_samples(path_).incomplete, "cut within the record at byte 28");
}

TEST_F(Journal, AFlippedBitNeverPasses) {
  const auto whole = write();
  for (std::size_t byte = 0; byte < whole.size(); byte += 3) {
    auto damaged = whole;
    damaged[byte] = static_cast<char>(damaged[byte] ^ (1 << (byte % 8)));
    replace(damaged);
    try {  // a longer length may look like a cut tail: then the journal counts as incomplete
      EXPECT_NE(io::read_rank_samples(path_).incomplete, "") << "byte " << byte;
    } catch (const IoError& e) {
      EXPECT_THAT(e.what(), testing::HasSubstr("rank-00002.journal: record at byte "));
    }
  }
  auto damaged = whole;
  damaged[40] = static_cast<char>(damaged[40] ^ 1);  // in the payload of the second record
  replace(damaged);
  expect_error<IoError>([&] { io::read_rank_samples(path_); },
                        {"record at byte 28", "checksum", "expected", "damaged"});
}

TEST_F(Journal, RefusesWhatIsNoJournal) {
  const auto whole = write();
  replace(whole.substr(28));
  expect_error<IoError>([&] { io::read_rank_samples(path_); }, {"byte 0", "no opening record"});
  replace(whole + whole);
  expect_error<IoError>([&] { io::read_rank_samples(path_); }, {"follows the closing record"});
  std::filesystem::remove(path_);
  io::JournalWriter(path_, 0, 1).append(99, {});
  expect_error<IoError>([&] { io::read_rank_samples(path_); }, {"type is 99"});
  std::filesystem::remove(path_);
  io::JournalWriter(path_, 0, 1).append(2, std::as_bytes(std::span("short")));
  expect_error<IoError>([&] { io::read_rank_samples(path_); }, {"bytes too early"});
  expect_error<IoError>([&] { io::read_rank_samples(folder_ / "none"); }, {"none"});
}

TEST_F(Journal, IsCreatedOnce) {
  write();
  expect_error<IoError>([&] { io::JournalWriter again(path_, 0, 1); },
                        {"rank-00002.journal", "File exists", "earlier run"});
  expect_error<IoError>([&] { io::JournalWriter in_file(path_ / "x", 0, 1); }, {"Not a directory"});
}

TEST_F(Journal, TextsNeedAPlace) {
  io::JournalWriter journal(path_, 0, 1);
  for (const char* key : {"provenance/git", "topology", "plan/actions", "provenance/node-1/cpu"})
    EXPECT_NO_THROW(append(journal, io::Text{key, ""}));
  for (const char* key : {"", "steps/loss", "config/", "provenance//x", "plan/values", "plan/a b"})
    expect_error<ValueError>([&] { append(journal, io::Text{key, ""}); }, {"no place"});
}

TEST_F(Journal, TakesLongRecordsAndMany) {
  const std::string topology(3'000'000, 'x');
  {
    io::JournalWriter journal(path_, 0, 1);
    append(journal, io::Text{"topology", topology});
    for (int i = 0; i < 20000; ++i) append(journal, io::StepTiming{i, i, i + 1, {}});
    journal.close();
    EXPECT_THROW(append(journal, io::ClockOffset{}), IoError);
  }
  const auto samples = io::read_rank_samples(path_);
  EXPECT_EQ(samples.texts[0].value, topology);
  EXPECT_EQ(samples.timing.size(), 20000u);
  EXPECT_EQ(samples.timing.back().step, 19999);
}

TEST(JournalRecords, CountersOfOneStep) {
  Counters before, now;
  before.gemm_flops[1] = 10;
  now.gemm_flops[1] = 25;
  now.attention_flops[4] = 3;
  now.messages = 2;
  const auto step = io::step_counters(7, before, now);
  EXPECT_EQ(step, (io::StepCounters{7, {0, 15, 0, 0, 0}, {0, 0, 0, 0, 3}, 0, 2}));
  EXPECT_EQ(io::counter_name(0), "gemm_flops.vit");
  EXPECT_EQ(io::counter_name(9), "attention_flops.other");
  EXPECT_EQ(io::counter_name(io::kStepCounters - 1), "messages");
}

TEST(ResultsFolder, IsNeverOverwrittenUnasked) {
  const TemporaryFolder folder;
  const auto results = folder / "a" / "b";
  io::create_results_folder(results, false);
  EXPECT_TRUE(std::filesystem::is_directory(results / "journals"));
  EXPECT_NO_THROW(io::create_results_folder(results, false));  // nothing in it yet
  io::write_text_file(io::journal_path(results, 3), "x");
  expect_error<IoError>([&] { io::create_results_folder(results, false); },
                        {results.string(), "did not end", "overwrite"});
  io::write_text_file(io::record_path(results), "x");
  io::write_text_file(results / "samples.h5.tmp", "x");
  io::write_text_file(results / "notes.txt", "x");
  expect_error<IoError>([&] { io::create_results_folder(results, false); },
                        {results.string(), "samples.h5", "overwrite"});
  io::create_results_folder(results, true);
  EXPECT_FALSE(std::filesystem::exists(io::record_path(results)));
  EXPECT_FALSE(std::filesystem::exists(results / "samples.h5.tmp"));
  EXPECT_TRUE(std::filesystem::is_empty(results / "journals"));
  EXPECT_TRUE(std::filesystem::exists(results / "notes.txt"));  // not ours
}

TEST(ResultsFolder, MustBeWritable) {
  const TemporaryFolder folder;
  io::write_text_file(folder / "file", "");
  for (const bool overwrite : {false, true})
    for (const auto& path :
         {folder / "file", folder / "file" / "x", std::filesystem::path("/proc/x")})
      expect_error<IoError>([&] { io::create_results_folder(path, overwrite); },
                            {path.string() + ": the results folder cannot be written"});
}

}  // namespace
}  // namespace vlmark::test
