#include "src/report/bench_record.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "src/base/error.hpp"
#include "tests/report/bench_text.hpp"

namespace vlmark::report {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

json sound() {
  return test::bench_json({test::kernel_row("a", "linear", "fp32"),
                           test::collective_row("all_reduce", 8),
                           {{"name", "b"}, {"status", "skipped"}, {"detail", "too large"}},
                           {{"name", "c"},
                            {"status", "failed"},
                            {"detail", "wrong"},
                            {"error_over_allowed", nullptr}}});
}

testing::Matcher<std::function<void()>> refused(const std::string& message) {
  return ThrowsMessage<IoError>(AllOf(HasSubstr("f.json: "), HasSubstr(message)));
}
std::function<void()> reading(const json& record) {
  return [text = record.dump()] { parse_bench(text, "f.json"); };
}
/// Of a record in which `value` stands at `path`; null: the key is taken away.
std::function<void()> reading_with(const char* path, const json& value) {
  json record = sound();
  const json::json_pointer at(path);
  if (value.is_null())
    record.at(at.parent_pointer()).erase(at.back());
  else
    record[at] = value;
  return reading(record);
}

TEST(BenchRecord, TakesEveryNumberAsItIs) {
  json record = sound();
  record["future"] = record["rows"][0]["future"] = {1, 2};
  const ShownBench bench = parse_bench(record.dump(), "f.json");
  ASSERT_EQ(bench.kernels.size(), 1U);
  const KernelCase& k = bench.kernels[0];
  EXPECT_EQ(
      k.name + k.kernel + k.layer + k.model + k.precision + k.shape + k.implementation + k.bound_by,
      "alinearvit2Bfp323x5x7ownproducts");
  EXPECT_EQ(k.tensor_ranks, 2);
  EXPECT_EQ(
      (std::vector{k.flops, k.bytes, k.flops_per_second, k.bytes_per_second, k.roofline_percent,
                   k.error, k.seconds.median, k.seconds.least, k.seconds.most}),
      (std::vector{2e6, 1e6, 2e9, 1e9, 50.5, 0.25, 1e-3, 0.9e-3, 1.5e-3}));
  ASSERT_EQ(bench.collectives.size(), 1U);
  const CollectiveCase& c = bench.collectives[0];
  EXPECT_EQ(c.collective, "all_reduce");
  EXPECT_EQ(c.ranks, 4);
  EXPECT_EQ((std::vector{c.bytes, c.algorithm_rate, c.bus_rate, c.seconds.most, c.of_ranks.least,
                         c.of_ranks.median, c.of_ranks.most}),
            (std::vector{8.0, 4e6, 6e6, 3e-6, 1e-6, 1.5e-6, 2e-6}));
  ASSERT_EQ(bench.untimed.size(), 2U);
  EXPECT_FALSE(bench.untimed[0].failed);
  EXPECT_EQ(bench.untimed[0].reason, "too large");
  EXPECT_EQ(bench.failed(), 1);
  EXPECT_EQ(bench.product_rates, (std::map<std::string, double>{{"fp32", 4e9}, {"bf16", 8e9}}));
  EXPECT_EQ(bench.copy_rate, 1e10);
}

TEST(BenchRecord, CollectivesNeedNoCeilings) {
  json record = test::bench_json({test::collective_row("all_reduce", 8)});
  record["rooflines"] = json::object();
  EXPECT_FALSE(parse_bench(record.dump(), "f.json").copy_rate);
}

TEST(BenchRecord, AnotherSchemaIsNamedWithBoth) {
  const char* both = "'schema' is \"vlmark.bench/2\" (expected \"vlmark.bench/1\"";
  EXPECT_THAT(reading_with("/schema", "vlmark.bench/2"), refused(both));
  // Before anything else: its other keys may mean something else.
  EXPECT_THAT(reading({{"schema", "vlmark.bench/2"}}), refused(both));
  EXPECT_THAT(reading_with("/schema", 1), refused("'schema' is 1 (expected"));
  EXPECT_THAT(reading_with("/schema", nullptr), refused("'schema' is absent (expected"));
  EXPECT_THAT(reading(json::array()), refused("'schema' is absent"));
  EXPECT_THAT(reading_with("/schema", std::string(5000, 'x')), refused("... (expected"));
}

TEST(BenchRecord, EveryKeyIsNeeded) {
  const json record = sound();
  for (const char* top : {"", "/provenance", "/rooflines", "/rows/0", "/rows/0/seconds", "/rows/1",
                          "/rows/1/seconds"})
    for (const auto& [key, value] : record.at(json::json_pointer(top)).items()) {
      // Without a collective it is taken for a kernel; a choice of implementations is rare.
      if (key == "implementation" || (key == "collective" && std::string(top) == "/rows/1"))
        continue;
      EXPECT_THAT(reading_with((std::string(top) + "/" + key).c_str(), nullptr),
                  refused(" is absent (expected"))
          << top << "/" << key;
    }
  EXPECT_THAT(reading_with("/rows/2/detail", nullptr), refused("'rows[2].detail' is absent"));
}

TEST(BenchRecord, WhatCannotBeIsRefused) {
  EXPECT_THAT(reading_with("/kind", "projected"), refused("'kind' is \"projected\""));
  EXPECT_THAT(reading_with("/rows", "none"), refused("'rows' is \"none\" (expected a list)"));
  EXPECT_THAT(reading_with("/rows/0", 7), refused("'rows[0].status' is absent"));
  EXPECT_THAT(reading_with("/rooflines", 7), refused("'rooflines.copy_byte_per_s' is absent"));
  EXPECT_THAT(reading_with("/rows/0/status", "fine"), refused("'rows[0].status' is \"fine\""));
  EXPECT_THAT(reading_with("/rows/1/name", "a"), refused("a name that no other row has"));
  EXPECT_THAT(reading_with("/rows/0/bytes", 0), refused("'rows[0].bytes' is 0"));
  EXPECT_THAT(reading_with("/rows/0/roofline_percent", 1e300), refused("1e-30 to 1e30"));
  EXPECT_THAT(reading_with("/rows/0/seconds/min", 1.2e-3), refused("between least and largest"));
  EXPECT_THAT(reading_with("/rows/0/seconds/max", 0.95e-3), refused("between least and largest"));
  EXPECT_THAT(reading_with("/rows/0/flop_per_s", 2.1e9), refused("work / seconds.median"));
  EXPECT_THAT(reading_with("/rows/0/byte_per_s", 1.1e9), refused("work / seconds.median"));
  EXPECT_THAT(reading_with("/rows/1/algorithm_byte_per_s", 1e6), refused("work / seconds.median"));
  EXPECT_THAT(reading_with("/rows/0/error_over_allowed", 1.5), refused("0 to 1"));
  EXPECT_THAT(reading_with("/rows/1/wrong_elements", 1), refused("'rows[1].wrong_elements' is 1"));
}

TEST(BenchRecord, DamageIsOneMessage) {
  const std::string text = sound().dump();
  for (const std::size_t length : {std::size_t{0}, text.size() / 2, text.size() - 1})
    EXPECT_THAT([&] { parse_bench(text.substr(0, length), "f.json"); },
                ThrowsMessage<IoError>(HasSubstr("f.json: is not valid JSON")));
  EXPECT_THROW(parse_bench(std::string(100000, '['), "f.json"), IoError);
  EXPECT_THROW(parse_bench(R"({"schema": 1e999})", "f.json"), IoError);
  EXPECT_THROW(parse_bench("{\"schema\": \"\xff\"}", "f.json"), IoError);
  EXPECT_THAT(reading(test::bench_json(std::vector<json>(20001, 0))),
              refused("(expected at most 20000 rows)"));
  // A thousand wrong rows are not a thousand lines.
  try {
    parse_bench(test::bench_json(std::vector<json>(1000, json::object())).dump(), "f.json");
    FAIL();
  } catch (const IoError& e) {
    EXPECT_LT(std::string(e.what()).size(), 3000U);
    EXPECT_THAT(e.what(), HasSubstr(" more"));
  }
}

}  // namespace
}  // namespace vlmark::report
