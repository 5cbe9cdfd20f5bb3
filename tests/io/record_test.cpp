#include "src/io/record.hpp"

#include <limits>
#include <numbers>

#include "parallel/gather.hpp"
#include "parallel/scalars.hpp"
#include "src/base/error.hpp"
#include "src/io/record_seal.hpp"
#include "src/io/results_folder.hpp"
#include "tests/io/support.hpp"
#include "tests/support/mpi_world.hpp"

namespace vlmark::test {
namespace {

namespace fs = std::filesystem;

// What rank r notes is a function of r, so that every rank can say what the record must hold.

io::StepTiming timing(int rank, std::int64_t step) {
  io::StepTiming record{step, 1000 * step + rank, 1000 * step + 500 + rank, {}};
  for (int phase = 0; phase < io::kPhases; ++phase)
    record.phase_ns[phase] = 100 * step + 10 * rank + phase;
  return record;
}

io::StepScalars scalars(std::int64_t step) {
  return {step,
          std::numbers::pi / static_cast<double>(step),
          1.0 / 3.0,
          5e-324,
          {step, 2, 3, 4, 5, std::numeric_limits<std::int64_t>::max()}};
}

io::StepCounters counters(int rank, std::int64_t step) {
  io::StepCounters record;
  record.step = step;
  for (int counter = 0; counter < io::kStepCounters; ++counter)
    counter_value(record, counter) =
        ~std::uint64_t{0} - static_cast<std::uint64_t>(10000 * step + 100 * rank + counter);
  return record;
}

io::MemoryPeak memory(int rank, int category) {
  return {"category" + std::to_string(category), 10 * rank + category, 11 * rank + category};
}

const io::RecordHeader kHeader = {
    "measured", "2026-11-24T06:20:18Z", "2026-11-24T06:21:00Z", {"load", "forward"}, {"compute"}};
const std::string kTopology = std::string(100'000, 't') + "\n\xc3\xbc\n";

class RecordTest : public testing::Test {
 protected:
  RecordTest() {
    if (comm_.rank() == 0) {
      local_.emplace();
      io::create_results_folder(local_->path(), false);
    }
    folder_ = parallel::broadcast_string(comm_, local_ ? local_->path().string() : "");
  }
  ~RecordTest() override { parallel::wait_for_all(comm_); }

  io::JournalWriter open(int ranks = 0) {
    return io::JournalWriter(io::journal_path(folder_, comm_.rank()), comm_.rank(),
                             ranks > 0 ? ranks : comm_.size());
  }
  void write_steps(io::JournalWriter& journal, std::int64_t first, std::int64_t end) {
    for (std::int64_t step = first; step < end; ++step) {
      append(journal, timing(comm_.rank(), step));
      append(journal, counters(comm_.rank(), step));
      if (comm_.rank() == 0) append(journal, scalars(step));
    }
  }
  /// Rank r notes r actions and kernels, so that rank 0 notes none.
  void write_rest(io::JournalWriter& journal) {
    const int rank = comm_.rank();
    for (int i = 0; i < rank; ++i) {
      append(journal, io::ActionTiming{3, i, 0, 7, -1, 100 * rank, 100 * rank + i});
      append(journal, io::KernelUse{"gemm " + std::string(static_cast<std::size_t>(i), 'x'),
                                    "onednn", static_cast<std::uint64_t>(rank)});
    }
    append(journal, io::ClockOffset{-5 * rank, rank});
    for (int category = 0; category < 3; ++category) append(journal, memory(rank, category));
    append(journal, io::Verification{"V5", "rank " + std::to_string(rank),
                                     std::numeric_limits<double>::infinity(), 0.5, rank % 2 == 0});
    append(journal, io::Text{"config", "not the last"});
    append(journal, io::Text{"config", rank == 0 ? "seed = 1\n" : "of another rank"});
    append(journal, io::Text{"provenance/compiler", ""});
    append(journal, io::Text{"topology", kTopology});
    append(journal, io::PlanValue{"decoder.flops", 1.5e15 + rank});
  }
  void expect_refused(const std::vector<std::string>& parts) {
    try {
      io::merge_journals(comm_, folder_, kHeader);
      ADD_FAILURE() << "nothing was thrown";
    } catch (const AgreedError& e) {
      EXPECT_EQ(e.exit_code(), ExitCode::io) << e.what();
      for (const auto& part : parts) EXPECT_THAT(e.what(), testing::HasSubstr(part));
    }
    EXPECT_FALSE(fs::exists(io::record_path(folder_)));
  }

  parallel::Communicator& comm_ = world();
  std::optional<TemporaryFolder> local_;  // of rank 0
  fs::path folder_;
};

TEST_F(RecordTest, RoundTripsBitForBit) {
  auto journal = open();
  write_steps(journal, 3, 7);
  write_rest(journal);
  journal.close();
  io::merge_journals(comm_, folder_, kHeader);
  EXPECT_FALSE(fs::exists(folder_ / "samples.h5.tmp"));

  const io::Record record = io::read_record(folder_);  // on every rank
  EXPECT_EQ(record.schema_version, "1");
  EXPECT_EQ(record.rules_version, "1.0");
  EXPECT_EQ(record.header, kHeader);
  EXPECT_EQ(record.texts,
            (std::map<std::string, std::string>{
                {"config", "seed = 1\n"}, {"provenance/compiler", ""}, {"topology", kTopology}}));
  EXPECT_EQ(record.plan_values, (std::vector<io::PlanValue>{{"decoder.flops", 1.5e15}}));
  ASSERT_EQ(record.ranks, comm_.size());
  ASSERT_EQ(record.steps.size(), 4u);
  std::size_t actions = 0;
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(record.steps[i], scalars(3 + static_cast<int>(i)));
  for (int rank = 0; rank < comm_.size(); ++rank) {
    const auto r = static_cast<std::size_t>(rank);
    for (std::size_t i = 0; i < 4; ++i) {
      EXPECT_EQ(record.timing[r][i], timing(rank, 3 + static_cast<int>(i)));
      EXPECT_EQ(record.counters[r][i], counters(rank, 3 + static_cast<int>(i)));
    }
    EXPECT_EQ(record.clocks[r], (io::ClockOffset{-5 * rank, rank}));
    for (int category = 0; category < 3; ++category)
      EXPECT_EQ(record.memory[r].at(static_cast<std::size_t>(category)), memory(rank, category));
    const io::OfRank<io::Verification> check{
        rank,
        {"V5", "rank " + std::to_string(rank), std::numeric_limits<double>::infinity(), 0.5,
         rank % 2 == 0}};
    EXPECT_EQ(record.verification.at(r), check);
    for (int i = 0; i < rank; ++i, ++actions) {
      const io::OfRank<io::ActionTiming> action{rank, {3, i, 0, 7, -1, 100 * rank, 100 * rank + i}};
      const io::OfRank<io::KernelUse> use{rank,
                                          {"gemm " + std::string(static_cast<std::size_t>(i), 'x'),
                                           "onednn", static_cast<std::uint64_t>(rank)}};
      EXPECT_EQ(record.actions.at(actions), action);
      EXPECT_EQ(record.kernels.at(actions), use);
    }
  }
  EXPECT_EQ(record.actions.size(), actions);
  EXPECT_EQ(record.kernels.size(), actions);
}

TEST_F(RecordTest, HoldsARunOfNoSteps) {
  open().close();
  io::merge_journals(comm_, folder_, {"emulated", "", "", {}, {}});
  const io::Record record = io::read_record(folder_);
  EXPECT_EQ(record.header, (io::RecordHeader{"emulated", "", "", {}, {}}));
  EXPECT_EQ(record.ranks, comm_.size());
  EXPECT_TRUE(record.steps.empty());
  EXPECT_TRUE(record.memory.at(0).empty());
  EXPECT_TRUE(record.texts.empty());
}

TEST_F(RecordTest, RefusesUnevenSteps) {
  if (comm_.size() == 1) GTEST_SKIP() << "needs two ranks";
  auto journal = open();
  const bool last = comm_.rank() == comm_.size() - 1;
  write_steps(journal, 0, last ? 4 : 5);
  journal.close();
  const std::string name = "rank-0000" + std::to_string(comm_.size() - 1) + ".journal";
  expect_refused(
      {"rank " + std::to_string(comm_.size() - 1) + ": ", name, "timing of 4 steps", "rank 0: 5"});
}

TEST_F(RecordTest, RefusesOtherSteps) {
  auto journal = open();
  const bool last = comm_.rank() == comm_.size() - 1;
  write_steps(journal, 1, 3);
  append(journal, timing(comm_.rank(), 3));
  append(journal, counters(comm_.rank(), last ? 9 : 3));
  if (comm_.rank() == 0) append(journal, scalars(3));
  journal.close();
  expect_refused({"counters", "entry 2 is of step 9 (expected 3; the ranks disagree)"});
}

TEST_F(RecordTest, RefusesStepsWithoutScalars) {
  auto journal = open();
  append(journal, timing(comm_.rank(), 0));
  append(journal, counters(comm_.rank(), 0));
  journal.close();
  expect_refused({"rank-00000.journal", "scalars of 0 steps"});
}

TEST_F(RecordTest, RefusesAnIncompleteJournal) {
  const bool last = comm_.rank() == comm_.size() - 1;
  {
    auto journal = open();
    write_steps(journal, 0, 2);
    if (!last) journal.close();
  }
  expect_refused({"journal is incomplete", "no closing record"});
  expect_error<IoError>([&] { io::read_record(folder_); },
                        {"samples.h5: does not exist", "incomplete"});
}

TEST_F(RecordTest, RefusesAMissingJournal) {
  const bool last = comm_.rank() == comm_.size() - 1;
  if (!last) open().close();
  expect_refused({"rank-0000" + std::to_string(comm_.size() - 1), "No such file"});
}

TEST_F(RecordTest, RefusesTheJournalOfAnotherRun) {
  open(comm_.size() + 1).close();
  expect_refused({"of " + std::to_string(comm_.size() + 1), "(expected rank 0 of"});
}

TEST_F(RecordTest, RefusesOtherMemoryCategories) {
  if (comm_.size() == 1) GTEST_SKIP() << "needs two ranks";
  auto journal = open();
  append(journal, io::MemoryPeak{comm_.rank() == 1 ? "gradients" : "parameters", 1, 1});
  journal.close();
  expect_refused({"rank-00001", "gradients", "parameters"});
}

TEST_F(RecordTest, RefusesAFolderThatCannotBeWritten) {
  open().close();
  parallel::wait_for_all(comm_);
  if (comm_.rank() == 0) fs::create_directory(folder_ / "samples.h5.tmp.tmp");
  parallel::wait_for_all(comm_);
  expect_refused({"samples.h5", "cannot be written", "Is a directory"});
}

TEST_F(RecordTest, ReadingSaysWhatIsWrong) {
  expect_error<IoError>([&] { io::read_record(folder_ / "none"); },
                        {"none/samples.h5: does not exist", "Give the folder"});
  parallel::wait_for_all(comm_);
  if (comm_.rank() == 0) {
    io::write_text_file(io::record_path(folder_), std::string(2 * io::kSealBytes, 'x'));
    io::seal_record(io::record_path(folder_));
  }
  parallel::wait_for_all(comm_);
  testing::internal::CaptureStderr();
  expect_error<IoError>([&] { io::read_record(folder_); },
                        {"samples.h5: cannot be read as HDF5 (", "signature"});
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");  // HDF5 prints no stack of its own
}

TEST_F(RecordTest, ATruncatedRecordIsRefused) {
  auto journal = open();
  write_steps(journal, 0, 3);
  journal.close();
  io::merge_journals(comm_, folder_, kHeader);
  if (comm_.rank() == 0) fs::resize_file(io::record_path(folder_), 3000);
  parallel::wait_for_all(comm_);
  expect_error<IoError>([&] { io::read_record(folder_); }, {"samples.h5"});
}

}  // namespace
}  // namespace vlmark::test
