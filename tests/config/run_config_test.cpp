#include "src/config/run_config.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <limits>

#include "src/base/error.hpp"

namespace vlmark::config {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

std::filesystem::path source_dir() {
  const char* folder = std::getenv("VLMARK_SOURCE_DIR");
  return folder ? folder : ".";
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

/// The problems `parse` throws, a line each.
std::vector<std::string> refused(std::string_view toml, std::vector<std::string> overrides = {}) {
  try {
    parse(toml, "run.toml", overrides);
  } catch (const ConfigError& error) {
    return lines_of(error.what());
  }
  return {"accepted"};
}

TEST(Parse, EmptyTextGivesTheDefaults) { EXPECT_EQ(parse("", "run.toml"), RunConfig{}); }

TEST(Parse, ReadsEveryTypeOfField) {
  const RunConfig c = parse(R"(
[model]
precision = "bf16"
seed = 9007199254740993
[data]
prompt = 'Say "what" this is.'
[train]
steps = 7
warmup_steps = 0
learning_rate = 1          # an integer where a number is asked for
min_learning_rate = 1e-6
schedule = "constant"
train_merger = false
deterministic = false
attention = "cudnn"
trace_steps = 0
[parallel]
shared_parameters = "offline"
shapes = "broadcast"
[output]
export = false
)",
                            "run.toml");
  EXPECT_EQ(c.model.precision, DType::bf16);
  EXPECT_EQ(c.model.seed, 9007199254740993);
  EXPECT_EQ(c.data.prompt, "Say \"what\" this is.");
  EXPECT_EQ(c.train.steps, 7);
  EXPECT_EQ(c.train.learning_rate, 1.0);
  EXPECT_EQ(c.train.min_learning_rate, 1e-6);
  EXPECT_EQ(c.train.schedule, Schedule::constant);
  EXPECT_EQ(c.train.train_merger, false);
  EXPECT_FALSE(c.train.deterministic);
  EXPECT_EQ(c.train.attention, AttentionBackend::cudnn);
  EXPECT_EQ(c.parallel.shared_parameters, SharedParameters::offline);
  EXPECT_EQ(c.parallel.shapes, Shapes::broadcast);
  EXPECT_FALSE(c.output.export_model);
  EXPECT_EQ(parse("train.train_merger = 'default'", "run.toml").train.train_merger, std::nullopt);
}

TEST(Parse, CheckpointFolderReplacesThePreset) {
  const RunConfig c = parse("model.folder = 'checkpoint'", "run.toml");
  EXPECT_EQ(c.model.preset, "");
  EXPECT_EQ(parse(to_toml(c), "echo"), c);
  EXPECT_EQ(parse("", "run.toml", {"model.folder=checkpoint"}), c);
  EXPECT_THAT(refused("[model]\npreset = '2B'\nfolder = 'checkpoint'"),
              ElementsAre(HasSubstr("model.preset: is \"2B\" and model.folder is \"checkpoint\"")));
}

TEST(Parse, UnknownKeyNamesTheNearest) {
  EXPECT_THAT(refused("[train]\nsteps = 5\nwarmup_steps = 1\nlearning_rte = 0.1"),
              ElementsAre("run.toml:4: train.learning_rte is not a known key (it would change "
                          "nothing). Did you mean train.learning_rate?"));
  EXPECT_THAT(refused("seed = 3"), ElementsAre(HasSubstr("Did you mean model.seed?")));
  EXPECT_THAT(refused("[optimizer]\nbeta1 = 0.9"),
              ElementsAre(HasSubstr("Did you mean train.beta1?")));
  EXPECT_THAT(refused("[trian]"), ElementsAre(HasSubstr("run.toml:1: trian is not a known key")));
  EXPECT_THAT(refused("", {"train.clipnorm=1"}),
              ElementsAre(AllOf(HasSubstr("--set: train.clipnorm"),
                                HasSubstr("Did you mean train.clip_norm?"))));
}

TEST(Parse, WrongTypeNamesBothTypesAndTheLine) {
  EXPECT_THAT(refused("[train]\n\nsteps = \"many\""),
              ElementsAre("run.toml:3: train.steps is the string 'many' (expected an integer). "
                          "Write for example steps = 100"));
  EXPECT_THAT(refused("train.steps = 1.5"),
              ElementsAre(HasSubstr("the float 1.5 (expected an integer)")));
  EXPECT_THAT(refused("train.deterministic = 1"),
              ElementsAre(HasSubstr("the integer 1 (expected true or false)")));
  EXPECT_THAT(refused("data.folder = true"),
              ElementsAre(HasSubstr("the boolean true (expected a string)")));
  EXPECT_THAT(refused("train.eps = [1e-8]"),
              ElementsAre(HasSubstr("an array (expected a number)")));
  EXPECT_THAT(refused("[train.steps]\nx = 1"),
              ElementsAre(HasSubstr("a table (expected an integer)")));
  EXPECT_THAT(refused("train = 5"), ElementsAre(HasSubstr("the integer 5 (expected a table)")));
  EXPECT_THAT(refused("train.steps = 1979-05-27"),
              ElementsAre(HasSubstr("the date or time 1979-05-27 (expected an integer)")));
  EXPECT_THAT(
      refused("train.steps = 3000000000"),
      ElementsAre(HasSubstr("the integer 3000000000 (expected an integer of at most 2147")));
  EXPECT_THAT(refused("model.precision = 'fp16'"),
              ElementsAre(HasSubstr("the string 'fp16' (expected \"fp32\" or \"bf16\")")));
  EXPECT_THAT(refused("train.schedule = 1"),
              ElementsAre(HasSubstr("the integer 1 (expected \"cosine\" or \"constant\")")));
  EXPECT_THAT(refused("parallel.shared_parameters = 'drifting'"),
              ElementsAre(HasSubstr("the string 'drifting' (expected \"summed\" or \"offline\")")));
  EXPECT_THAT(refused("parallel.shapes = 'broadcasts'"),
              ElementsAre(HasSubstr("'broadcasts' (expected \"index\" or \"broadcast\")")));
  EXPECT_THAT(refused("train.train_merger = 'yes'"),
              ElementsAre(HasSubstr("(expected true, false or \"default\")")));
}

TEST(Parse, ReportsAllProblemsAtOnce) {
  EXPECT_THAT(
      refused("[train]\nsteps = 'x'\nbeta1 = 2.0\nstagee = 1\n[data]\nmin_pixels = 99999",
              {"model.sed=1", "nonsense"}),
      testing::UnorderedElementsAre(HasSubstr("train.steps"), HasSubstr("train.beta1: 2"),
                                    HasSubstr("train.stagee"), HasSubstr("data.min_pixels: 99999"),
                                    HasSubstr("model.sed"), HasSubstr("'nonsense' names no key")));
}

TEST(Parse, SyntaxErrorNamesLineAndColumn) {
  EXPECT_THAT(refused("[train]\nsteps = = 3"),
              ElementsAre(AllOf(HasSubstr("run.toml:2: is not TOML"), HasSubstr("column 9"))));
  EXPECT_THAT(refused("[train]\nsteps = 3\nsteps = 4"),
              ElementsAre(HasSubstr("run.toml:3: is not TOML")));
}

TEST(Overrides, LastOneWinsAndTextNeedsNoQuotes) {
  const RunConfig c =
      parse("[train]\nsteps = 50", "run.toml",
            {"train.steps=20", "train.steps=30", "output.folder=results/x y", "data.prompt=12",
             "model.precision=bf16", "train.train_merger=true", "train.learning_rate=2",
             "data.tokenizer=\"quoted\"", "control.grey=true"});
  EXPECT_EQ(c.train.steps, 30);
  EXPECT_EQ(c.output.folder, "results/x y");
  EXPECT_EQ(c.data.prompt, "12");
  EXPECT_EQ(c.model.precision, DType::bf16);
  EXPECT_EQ(c.train.train_merger, true);
  EXPECT_EQ(c.train.learning_rate, 2.0);
  EXPECT_EQ(c.data.tokenizer, "quoted");
  EXPECT_TRUE(c.control.grey);
}

TEST(Overrides, BadValueNamesTheText) {
  EXPECT_THAT(refused("", {"train.steps=ten"}),
              ElementsAre(HasSubstr("--set: train.steps is the text 'ten' (expected an integer)")));
  EXPECT_THAT(refused("", {"train.steps=5\nwarmup_steps = 1"}),
              ElementsAre(HasSubstr("--set"), HasSubstr("warmup")));
  EXPECT_THAT(refused("", {"=5"}), ElementsAre(HasSubstr("'=5' names no key and value")));
  EXPECT_THAT(refused("", {"data.folder="}), ElementsAre(HasSubstr("data.folder: is \"\"")));
}

TEST(Echo, ReadsBackAsTheSameStruct) {
  RunConfig c;
  c.data.prompt =
      "tab\t quote\" backslash\\ line\n bell\a delete\x7f umlaut \xc3\xbc # not a comment";
  c.model.seed = std::numeric_limits<std::int64_t>::max();
  c.model.precision = DType::bf16;
  c.train.learning_rate = 0.1 + 0.2;
  c.train.min_learning_rate = std::numeric_limits<double>::denorm_min();
  c.train.eps = 1e-300;
  c.train.weight_decay = 3;
  c.train.clip_norm = 1e22;
  c.train.schedule = Schedule::constant;
  c.train.attention = AttentionBackend::cudnn;
  c.train.train_merger = false;
  c.parallel.shared_parameters = SharedParameters::offline;
  c.parallel.shapes = Shapes::broadcast;
  c.output.overwrite = true;
  c.output.export_model = false;
  c.data.kind = DataKind::synthetic;
  c.data.pictures = "448x448, none";
  c.model.layers = 2;
  EXPECT_EQ(parse(to_toml(c), "echo"), c) << to_toml(c);
  EXPECT_EQ(parse(to_toml(RunConfig{}), "echo"), RunConfig{});
  EXPECT_NE(to_toml(c), to_toml(RunConfig{}));
  EXPECT_THAT(to_toml(c), HasSubstr("weight_decay = 3.0 "));  // a float stays one for any reader
}

TEST(Echo, NamesEveryKnownKeyOnce) {
  const std::string text = to_toml(RunConfig{});
  for (const std::string& key : known_keys()) {
    const std::string table = "[" + key.substr(0, key.find('.')) + "]";
    const auto begin = text.find(table);
    ASSERT_NE(begin, std::string::npos) << key;
    const auto body = text.substr(begin, text.find("\n\n", begin) - begin);
    EXPECT_THAT(body, HasSubstr("\n" + key.substr(key.find('.') + 1) + " = ")) << key;
  }
  const auto lines = lines_of(text);
  const auto fields = std::count_if(lines.begin(), lines.end(), [](const std::string& line) {
    return line.find(" = ") != std::string::npos;
  });
  EXPECT_EQ(static_cast<std::size_t>(fields), known_keys().size());
}

TEST(Load, ReadsTheQuickStart) {
  const RunConfig c = load(source_dir() / "configs/quickstart.toml");
  EXPECT_EQ(c.model.preset, "nano");
  EXPECT_THAT(problems(c), testing::IsEmpty());
}

TEST(Load, MissingFileOrFolderIsAnIoError) {
  for (const auto& path : {source_dir() / "configs/absent.toml", source_dir() / "configs"})
    EXPECT_THAT([&] { load(path); }, testing::ThrowsMessage<IoError>(AllOf(
                                         HasSubstr(path.string()), HasSubstr("cannot be read"))));
}

}  // namespace
}  // namespace vlmark::config
