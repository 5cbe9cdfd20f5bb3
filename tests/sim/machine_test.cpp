#include "src/sim/machine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "src/base/error.hpp"

namespace vlmark::sim {
namespace {

using testing::HasSubstr;

const std::string whole = R"(
name = "a machine"
launcher = "mpiexec"
ranks_per_node = 4
memory_bytes = 16e9
[rates]
gemm_f32 = 1e12
gemm_bf16 = 2e12
memory = 1e11
launch = 0
[node]
latency = 1e-6
bandwidth = 1e10
[network]
latency = 2e-6
bandwidth = 1e9
)";

std::string without(std::string text, const std::string& line) {
  const std::size_t at = text.find(line);
  return text.erase(at, text.find('\n', at) - at);
}

std::string problems_of(const std::string& text) {
  try {
    parse_machine(text, "m.toml");
  } catch (const ConfigError& e) {
    return e.what();
  }
  return {};
}

TEST(Machine, ReadsEveryKeyAndDefaultsAttentionToProducts) {
  const Machine m = parse_machine(whole, "m.toml");
  EXPECT_EQ(m.name, "a machine");
  EXPECT_EQ(m.launcher, "mpiexec");
  EXPECT_EQ(m.ranks_per_node, 4);
  EXPECT_EQ(m.memory_bytes, 16e9);
  EXPECT_EQ(m.rates.gemm(DType::bf16), 2e12);
  EXPECT_EQ(m.rates.attention(DType::f32), 1e12);
  EXPECT_EQ(m.rates.attention(DType::bf16), 2e12);
  EXPECT_EQ(m.rates.launch, 0);
  EXPECT_EQ(&m.link(0, 3), &m.node);
  EXPECT_EQ(&m.link(3, 4), &m.network);
  EXPECT_DOUBLE_EQ(m.network.seconds(3, 5e8), 6e-6 + 0.5);
}

TEST(Machine, WritesWhatItReads) {
  const Machine m = parse_machine(whole, "m.toml");
  const std::string text = to_toml(m, "two\nlines");
  EXPECT_EQ(text.rfind("# two\n# lines\nname", 0), 0U) << text;
  const Machine again = parse_machine(text, "again.toml");
  EXPECT_EQ(to_toml(again, ""), to_toml(m, ""));
  EXPECT_EQ(again.network.bandwidth, 1e9);
}

TEST(Machine, NamesAllProblemsAtOnce) {
  const std::string text = problems_of(without(without(whole, "name"), "bandwidth = 1e9") +
                                       "bandwith = 3\n[rates2]\nx = 1\n");
  EXPECT_THAT(text, HasSubstr("m.toml: name is missing (no time can be predicted without it)"));
  EXPECT_THAT(text, HasSubstr("m.toml: network.bandwidth is missing"));
  EXPECT_THAT(text, HasSubstr("m.toml: network.bandwith is no key of a machine (it would change "
                              "nothing). Did you mean network.bandwidth?"));
  EXPECT_THAT(text, HasSubstr("m.toml: rates2.x is no key"));
}

TEST(Machine, RefusesValuesThatAreNoRates) {
  const auto with = [](const std::string& line, const std::string& other) {
    std::string text = whole;
    return problems_of(text.replace(text.find(line), line.size(), other));
  };
  EXPECT_THAT(with("memory = 1e11", "memory = 0"),
              HasSubstr("rates.memory is 0 (expected a number above 0 of byte/s)"));
  EXPECT_THAT(with("memory = 1e11", "memory = nan"), HasSubstr("rates.memory is nan"));
  EXPECT_THAT(with("memory = 1e11", "memory = inf"), HasSubstr("rates.memory is inf"));
  EXPECT_THAT(with("memory = 1e11", "memory = \"fast\""), HasSubstr("rates.memory is 'fast'"));
  EXPECT_THAT(with("latency = 1e-6", "latency = -1.0"),
              HasSubstr("node.latency is -1.0 (expected a number from 0 of s)"));
  EXPECT_THAT(with("ranks_per_node = 4", "ranks_per_node = 0"),
              HasSubstr("ranks_per_node is 0 (expected an integer from 1 to 1000000)"));
  EXPECT_THAT(with("ranks_per_node = 4", "ranks_per_node = 2.5"), HasSubstr("is 2.5"));
  EXPECT_THAT(with("\"mpiexec\"", "\"qsub\""),
              HasSubstr("launcher is 'qsub' (expected mpiexec or srun)"));
  EXPECT_THAT(with("[node]", "node = 3\n[nodes]"), HasSubstr("node.latency is missing"));
  EXPECT_THAT(problems_of("name = [\n"), HasSubstr("m.toml:"));
  EXPECT_THAT(problems_of(""), HasSubstr("rates.gemm_f32 is missing"));
}

TEST(Machine, ReadsEveryDescriptionOfTheRepository) {
  const std::filesystem::path folder =
      std::filesystem::path(std::getenv("VLMARK_SOURCE_DIR")) / "configs/machines";
  int seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    EXPECT_GT(load_machine(entry.path()).rates.memory, 0) << entry.path();
    ++seen;
  }
  EXPECT_GE(seen, 4);
  EXPECT_THROW(load_machine(folder / "none.toml"), IoError);
}

}  // namespace
}  // namespace vlmark::sim
