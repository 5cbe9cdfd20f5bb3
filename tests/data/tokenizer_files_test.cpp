#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "src/base/error.hpp"
#include "src/data/tokenizer.hpp"
#include "tests/data/data_files.hpp"
#include "tests/data/tokenizer_json.hpp"

namespace vlmark::test {
namespace {

using data::Tokenizer;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

json byte_tokenizer(const std::vector<std::pair<std::string, std::string>>& merges = {}) {
  return json::parse(byte_tokenizer_text(merges));
}

json added_token(const std::string& content, int id) {
  return json::parse(added_token_text(content, id));
}

Tokenizer load(const json& file) { return Tokenizer::from_json_text(file.dump(), "t.json"); }

void write(const std::filesystem::path& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << text;
}

/// What is done to a valid file, and two parts of the error text.
struct Fault {
  const char* name;
  std::function<void(json&)> damage;
  const char* problem;
  const char* value;
};
void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.name; }

class BrokenFile : public testing::TestWithParam<Fault> {};
class OtherKind : public testing::TestWithParam<Fault> {};

std::string fault_name(const testing::TestParamInfo<Fault>& info) { return info.param.name; }

TEST_P(BrokenFile, IsAnIoErrorThatNamesFileAndProblem) {
  json file = byte_tokenizer({{"a", "b"}});
  GetParam().damage(file);
  EXPECT_THAT([&] { load(file); },
              ThrowsMessage<IoError>(AllOf(HasSubstr("t.json"), HasSubstr(GetParam().problem),
                                           HasSubstr(GetParam().value))));
}

TEST_P(OtherKind, IsAConfigErrorWithBothValues) {
  json file = byte_tokenizer({{"a", "b"}});
  GetParam().damage(file);
  EXPECT_THAT([&] { load(file); },
              ThrowsMessage<ConfigError>(AllOf(HasSubstr("t.json"), HasSubstr(GetParam().problem),
                                               HasSubstr(GetParam().value))));
}

INSTANTIATE_TEST_SUITE_P(
    Files, BrokenFile,
    testing::Values(
        Fault{"no_model", [](json& f) { f.erase("model"); }, "'model' is missing", ""},
        Fault{"model_is_text", [](json& f) { f["model"] = "BPE"; }, "'model' is of type string",
              "expected object"},
        Fault{"root_is_a_list", [](json& f) { f = json::array(); }, "'model' is missing", ""},
        Fault{"no_vocab", [](json& f) { f["model"].erase("vocab"); }, "'vocab' is missing", ""},
        Fault{"no_merges", [](json& f) { f["model"].erase("merges"); }, "'merges' is missing", ""},
        Fault{"no_decoder", [](json& f) { f.erase("decoder"); }, "'decoder' is missing", ""},
        Fault{"id_is_text", [](json& f) { f["model"]["vocab"]["ab"] = "256"; }, "token 'ab'",
              "\"256\""},
        Fault{"id_is_negative", [](json& f) { f["model"]["vocab"]["ab"] = -1; }, "token 'ab'",
              "-1"},
        Fault{"id_is_huge", [](json& f) { f["model"]["vocab"]["ab"] = 1ll << 40; }, "token 'ab'",
              "1099511627776"},
        Fault{"id_leaves_a_gap", [](json& f) { f["model"]["vocab"]["ab"] = 300; },
              "token 'ab' has id 300", "258 tokens"},
        Fault{"id_is_used_twice", [](json& f) { f["model"]["vocab"]["ab"] = 97; },
              "both have id 97", "'ab'"},
        Fault{"byte_lacks",
              [](json& f) {
                f["model"]["vocab"].erase("\u0120");  // the blank's spelling
                f["model"]["vocab"]["other"] = 32;
              },
              "no token for byte 32", ""},
        Fault{"merge_of_unknown",
              [](json& f) {
                f["model"]["merges"][0] = {"a", "zz"};
              },
              "'zz'", "rank 0"},
        Fault{"merge_into_unknown",
              [](json& f) {
                f["model"]["merges"][0] = {"b", "a"};
              },
              "'ba'", "rank 0"},
        Fault{"merge_without_blank", [](json& f) { f["model"]["merges"][0] = "ab"; }, "'ab'",
              "one blank"},
        Fault{"merge_with_two_blanks", [](json& f) { f["model"]["merges"][0] = "a  b"; }, "'a  b'",
              "one blank"},
        Fault{"merge_of_three",
              [](json& f) {
                f["model"]["merges"][0] = {"a", "b", "c"};
              },
              "rank 0", "[\"a\",\"b\",\"c\"]"},
        Fault{"merge_is_a_number", [](json& f) { f["model"]["merges"][0] = 7; }, "rank 0", "7"},
        Fault{"merge_twice", [](json& f) { f["model"]["merges"].push_back("a b"); },
              "ranks 0 and 1", "'a' and 'b'"},
        Fault{"added_is_an_object", [](json& f) { f["added_tokens"] = json::object(); },
              "'added_tokens' is of type object", ""},
        Fault{"added_without_text", [](json& f) { f["added_tokens"][0].erase("content"); },
              "'content' is missing", "257"},
        Fault{"added_is_empty", [](json& f) { f["added_tokens"][0]["content"] = ""; },
              "has no text", ""},
        Fault{"added_with_negative_id", [](json& f) { f["added_tokens"][0]["id"] = -3; },
              "'id' is of type", ""},
        Fault{"added_leaves_a_gap", [](json& f) { f["added_tokens"][0]["id"] = 258; },
              "'<|im_end|>' has id 258", "258 tokens"},
        Fault{"added_takes_an_id", [](json& f) { f["added_tokens"][0]["id"] = 97; },
              "both have id 97", "'<|im_end|>'"},
        Fault{"added_moves_a_token",
              [](json& f) { f["added_tokens"].push_back(added_token("ab", 257)); },
              "'ab' has id 257", "id 256"}),
    fault_name);

INSTANTIATE_TEST_SUITE_P(
    Files, OtherKind,
    testing::Values(
        Fault{"unigram", [](json& f) { f["model"]["type"] = "Unigram"; }, "\"Unigram\"", "\"BPE\""},
        Fault{"dropout", [](json& f) { f["model"]["dropout"] = 0.1; }, "dropout", "0.1"},
        Fault{"prefix", [](json& f) { f["model"]["continuing_subword_prefix"] = "##"; },
              "continuing_subword_prefix", "##"},
        Fault{"suffix", [](json& f) { f["model"]["end_of_word_suffix"] = "</w>"; },
              "end_of_word_suffix", "</w>"},
        Fault{"byte_fallback", [](json& f) { f["model"]["byte_fallback"] = true; }, "byte_fallback",
              "true"},
        Fault{"nfkc", [](json& f) { f["normalizer"]["type"] = "NFKC"; }, "\"NFKC\"", "\"NFC\""},
        Fault{"metaspace",
              [](json& f) {
                f["pre_tokenizer"] = {{"type", "Metaspace"}};
              },
              "\"Metaspace\"", "\"Sequence\""},
        Fault{"one_splitter", [](json& f) { f["pre_tokenizer"]["pretokenizers"].erase(1); },
              "sequence of 1", "Split and ByteLevel"},
        Fault{"digits",
              [](json& f) {
                f["pre_tokenizer"]["pretokenizers"][0] = {{"type", "Digits"}};
              },
              "\"Digits\"", "\"Split\""},
        Fault{"removed",
              [](json& f) { f["pre_tokenizer"]["pretokenizers"][0]["behavior"] = "Removed"; },
              "\"Removed\"", "\"Isolated\""},
        Fault{"inverted", [](json& f) { f["pre_tokenizer"]["pretokenizers"][0]["invert"] = true; },
              "invert", "true"},
        Fault{"prefix_space",
              [](json& f) { f["pre_tokenizer"]["pretokenizers"][1]["add_prefix_space"] = true; },
              "add_prefix_space", "true"},
        Fault{"gpt2_regex",
              [](json& f) { f["pre_tokenizer"]["pretokenizers"][1]["use_regex"] = true; },
              "use_regex", "true"},
        Fault{"template_processing",
              [](json& f) {
                f["post_processor"] = {{"type", "TemplateProcessing"}};
              },
              "\"TemplateProcessing\"", "\"ByteLevel\""},
        Fault{"fuse_decoder", [](json& f) { f["decoder"]["type"] = "Fuse"; }, "\"Fuse\"",
              "\"ByteLevel\""},
        Fault{"truncation",
              [](json& f) {
                f["truncation"] = {{"max_length", 7}};
              },
              "truncation", "7"},
        Fault{"padding",
              [](json& f) {
                f["padding"] = {{"pad_id", 0}};
              },
              "padding", "pad_id"},
        Fault{"flag_is_text", [](json& f) { f["added_tokens"][0]["special"] = "yes"; }, "special",
              "\"yes\""}),
    fault_name);

TEST(HostileTokenizer, NestedJsonAndNumbersBeyondADoubleAreIoErrors) {
  for (const std::string& value : {std::string(200'000, '['), std::string("1e999")})
    EXPECT_THAT([&] { Tokenizer::from_json_text("{\"model\": " + value, "t.json"); },
                ThrowsMessage<IoError>(HasSubstr("t.json: ")));
}

/// A folder that cannot be looked into holds no tokenizer.
TEST(HostileTokenizer, AFolderNameThatNoSystemTakesIsAnIoError) {
  EXPECT_THROW(Tokenizer::from_folder(std::string(5000, 'n')), IoError);
}

TEST(HostileTokenizer, APatternThatTriesEverythingEndsWithAnError) {
  json file = byte_tokenizer();
  file["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] = "(?:a|aa)+b|\\s+";
  const auto tokenizer = load(file);
  EXPECT_EQ(tokenizer.encode("aab").size(), 3u);
  EXPECT_THAT([&] { tokenizer.encode(std::string(5000, 'a')); },
              ThrowsMessage<ValueError>(HasSubstr("PCRE2 gave up at byte 0 of 5000")));
}

TEST(BrokenPattern, IsAConfigErrorThatNamesTheConstruct) {
  const std::pair<const char*, const char*> patterns[] = {{"(abc", "malformed at offset 4"},
                                                          {"\\w+", "'\\w'"},
                                                          {"\\h", "'\\h'"},
                                                          {"a*", "can match the empty"},
                                                          {"\\p{Lu}", "'\\p{Lu}'"},
                                                          {"^a", "'^'"},
                                                          {"a$", "'$'"},
                                                          {"[a[b]]", "inside a"},
                                                          {"[a&&b]", "'&& inside"},
                                                          {"(?m:a)", "'(?m'"},
                                                          {"(?<=a)b", "'(?<'"},
                                                          {"a{2}+", "'}+'"},
                                                          {"a{2}?", "'}?'"},
                                                          {"a{,3}b", "'{,'"},
                                                          {"(*UTF)a", "'(*'"},
                                                          {"a\\", "'\\ at the end'"},
                                                          {"\\1", "'\\1'"},
                                                          {"(a)\\b", "'\\b'"}};
  for (const auto& [pattern, problem] : patterns) {
    json file = byte_tokenizer();
    file["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] = pattern;
    EXPECT_THAT([&] { load(file); },
                ThrowsMessage<ConfigError>(AllOf(HasSubstr("t.json"), HasSubstr(problem))));
  }
}

TEST(BrokenFolder, MissingAndTruncatedFilesAreNamed) {
  const ScratchDir folder;
  const auto from_folder = [&] { Tokenizer::from_folder(folder.path()); };
  EXPECT_THAT(from_folder, ThrowsMessage<IoError>(AllOf(HasSubstr(folder.path().string()),
                                                        HasSubstr("neither tokenizer.json"))));
  write(folder.path() / "vocab.json", R"({"a": 0, "b": 1, "ab": 2})");
  EXPECT_THAT(from_folder, ThrowsMessage<IoError>(HasSubstr("merges.txt")));
  write(folder.path() / "merges.txt", "#version: 0.2\na b c\n");
  EXPECT_THAT(from_folder,
              ThrowsMessage<IoError>(AllOf(HasSubstr("merges.txt"), HasSubstr("'a b c'"))));
  write(folder.path() / "merges.txt", "#version: 0.2\na c\n");
  EXPECT_THAT(from_folder, ThrowsMessage<IoError>(AllOf(HasSubstr("merges.txt"), HasSubstr("'c'"),
                                                        HasSubstr("rank 0"))));
  write(folder.path() / "merges.txt", "a b\n");
  EXPECT_THAT(from_folder, ThrowsMessage<IoError>(HasSubstr("no token for byte 0")));
  const std::string whole = byte_tokenizer().dump();
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, whole.size() / 2, whole.size() - 1}) {
    write(folder.path() / "tokenizer.json", whole.substr(0, size));
    EXPECT_THAT(from_folder, ThrowsMessage<IoError>(
                                 AllOf(HasSubstr("tokenizer.json"), HasSubstr("not valid JSON"))));
  }
  write(folder.path() / "tokenizer.json", "\xff\xfe{}");
  EXPECT_THAT(from_folder, ThrowsMessage<IoError>(HasSubstr("not valid JSON")));
  std::filesystem::remove(folder.path() / "tokenizer.json");
  std::filesystem::create_directory(folder.path() / "tokenizer.json");
  EXPECT_THAT(from_folder, ThrowsMessage<IoError>(HasSubstr("cannot be read")));
}

}  // namespace
}  // namespace vlmark::test
