#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "src/data/chat.hpp"
#include "tests/data/data_files.hpp"

namespace vlmark::test {
namespace {

using data::ChatMessage;
using data::ContentPart;
using nlohmann::json;

ContentPart to_part(const json& part) {
  const auto type = part["type"].get<std::string>();
  if (type == "image") return {ContentPart::Kind::image};
  if (type == "video") return {ContentPart::Kind::video};
  return {ContentPart::Kind::text, part["text"].get<std::string>()};
}

std::vector<ChatMessage> to_messages(const json& list) {
  std::vector<ChatMessage> messages;
  for (const json& entry : list) {
    ChatMessage message{entry["role"].get<std::string>(), {}};
    const json& content = entry["content"];
    if (content.is_string())
      message.content.push_back({ContentPart::Kind::text, content.get<std::string>()});
    else
      for (const json& part : content) message.content.push_back(to_part(part));
    messages.push_back(std::move(message));
  }
  return messages;
}

TEST(ChatGolden, EqualsEveryVector) {
  const auto file = golden_dir() / "chat/vectors.json";
  if (!std::filesystem::exists(file.parent_path()) && std::getenv("VLMARK_GOLDEN"))
    GTEST_SKIP() << "the golden data of VLMARK_GOLDEN have no folder " << file.parent_path();
  std::ifstream in(file);
  ASSERT_TRUE(in) << file << " cannot be read";
  const json vectors = json::parse(in);
  ASSERT_FALSE(vectors.empty());
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    SCOPED_TRACE(testing::Message() << file << " vector " << i);
    const json& vector = vectors[i];
    const auto messages = to_messages(vector["messages"]);
    const std::string text = data::render_chat(
        messages, vector["add_generation_prompt"].get<bool>(), vector["add_vision_id"].get<bool>());
    EXPECT_EQ(text, vector["text"].get<std::string>());
    std::vector<plan::Grid> grids;
    for (const json& grid : vector["grids"])
      grids.push_back({grid[0].get<int>(), grid[1].get<int>(), grid[2].get<int>()});
    EXPECT_EQ(data::expand_vision_pads(text, grids, 2), vector["expanded"].get<std::string>());
  }
}

}  // namespace
}  // namespace vlmark::test
