#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "src/judge/judge.hpp"
#include "tests/judge/record.hpp"

namespace vlmark::judge {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(ResultLine, OfAValidRun) {
  EXPECT_THAT(result_line(judge(test::good_record())),
              testing::MatchesRegex(
                  "VLMARK RESULT VALID official=no checked=R3,R4,R5,R6,R9,V1,V4,V5,V6 "
                  "fom=train.positions_per_s value=.* ci95_within_run=.* n=1/1 steps=25 untimed=5 "
                  "model=nano prec=fp32 tier=baseline layout=dp2 ranks=2 isa=avx2 rules=1.0"));
}

TEST(ResultLine, OfAnInvalidRunNamesTheFirstFailedRule) {
  io::Record record = test::good_record();
  record.verification[3].value.value = 2;
  EXPECT_THAT(result_line(judge(record)),
              StartsWith("VLMARK RESULT INVALID rule=V6 detail=\"check of V6 2 limit 0\" "));
}

TEST(ResultLine, NothingCheckedIsNotValid) { EXPECT_FALSE(Judgement{}.valid()); }

TEST(ResultJson, HoldsWhatIsCompared) {
  const auto json = nlohmann::json::parse(result_json(judge(test::good_record())));
  EXPECT_EQ(json["schema"], 1);
  EXPECT_EQ(json["valid"], true);
  EXPECT_EQ(json["fom"]["better"], "higher");
  EXPECT_EQ(json["manifest_sha256"].get<std::string>().size(), 64U);
  EXPECT_EQ(json["steps"]["excluded_s"].size(), 5U);
  EXPECT_THAT(json["flags"].dump(), HasSubstr("R7: untimed steps 5, an official run has 20"));
}

}  // namespace
}  // namespace vlmark::judge
