#include "src/base/json_depth.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/base/error.hpp"

namespace vlmark::test {
namespace {

std::string nested(int depth, const std::string& open, const std::string& close) {
  std::string text;
  for (int i = 0; i < depth; ++i) text += open;
  text += "1";
  for (int i = 0; i < depth; ++i) text += close;
  return text;
}

TEST(JsonDepth, RefusesOneLevelTooMany) {
  const std::pair<std::string, std::string> kinds[] = {{"[", "]"}, {"{\"a\":", "}"}};
  for (const auto& kind : kinds) {
    const std::string &open = kind.first, &close = kind.second;
    EXPECT_NO_THROW(require_json_depth(nested(kDeepestJson, open, close), "x.json"));
    const std::string deep = nested(kDeepestJson + 1, open, close);
    const std::string place = "at byte " + std::to_string(kDeepestJson * open.size());
    EXPECT_THAT([&] { require_json_depth(deep, "x.json"); },
                testing::ThrowsMessage<IoError>(
                    testing::AllOf(testing::HasSubstr("x.json: is JSON nested more than 64 deep"),
                                   testing::HasSubstr(place))));
  }
  EXPECT_THROW(require_json_depth(std::string(10'000'000, '['), "x"), IoError);
}

TEST(JsonDepth, CountsWhatIsOpenOutsideStrings) {
  std::string row;
  for (int i = 0; i < 1000; ++i) row += "[{}],";
  EXPECT_NO_THROW(require_json_depth(row, "x"));
  EXPECT_NO_THROW(require_json_depth("[\"" + std::string(1000, '[') + "\"]", "x"));
  EXPECT_NO_THROW(require_json_depth("[\"\\\"" + std::string(1000, '{') + "\\\\\"]", "x"));
  EXPECT_THROW(require_json_depth("\"\\\\\"" + std::string(100, '['), "x"), IoError);
  for (const char* broken : {"", "\"", "\"\\", "]]]]", "}"})
    EXPECT_NO_THROW(require_json_depth(broken, "x")) << broken;
}

}  // namespace
}  // namespace vlmark::test
