#include <algorithm>
#include <cmath>
#include <iterator>
#include <sstream>

#include "src/base/error.hpp"
#include "src/base/sha256.hpp"
#include "src/config/fields.hpp"
#include "src/config/pictures.hpp"

namespace vlmark::config {

bool Bounds::contain(double x) const {
  const bool low_ok = above_low ? x > low : x >= low;
  const bool high_ok = below_high ? x < high : x <= high;
  return std::isfinite(x) && low_ok && high_ok;
}

std::string Bounds::text() const {
  std::ostringstream out;
  if (std::isinf(high))
    out << (above_low ? "above " : "at least ") << low;
  else
    out << "from " << low << (below_high ? " to below " : " to ") << high;
  return out.str();
}

namespace {

struct Checker {
  std::vector<std::string> found;
  std::string table_name;

  template <class... Parts>
  void expect(bool ok, const Parts&... parts) {
    if (ok) return;
    std::ostringstream text;
    text.precision(10);
    (text << ... << parts);
    found.push_back(text.str());
  }

  void table(std::string_view name, std::string_view) { table_name = name; }
  template <class Number>
  void field(std::string_view name, Number value, std::string_view comment, const Bounds& bounds) {
    expect(bounds.contain(static_cast<double>(value)), table_name, ".", name, ": ", value,
           " is out of range (", comment, "). Use a value ", bounds.text());
  }
  void field(std::string_view name, const std::string& value, std::string_view comment, Text rule) {
    expect(rule == Text::may_be_empty || !value.empty(), table_name, ".", name, ": is \"\" (",
           comment, "). Give a text that is not empty");
  }
  template <class T>
  void field(std::string_view, const T&, std::string_view) {}
};

void check_synthetic(const RunConfig& c, Checker& check) {
  const auto groups = picture_groups(c.data.pictures);
  check.expect(
      groups.has_value(), "data.pictures: is \"", c.data.pictures,
      "\" (it holds something that is no size). Write sizes as WIDTHxHEIGHT, + between the "
      "pictures of a document and a comma between documents: \"448x448+896x448, none\"");
  std::size_t most = 0;
  if (groups)
    for (const auto& group : *groups) most = std::max(most, group.size());
  // Two tokens stand around each picture; without one, the first token of a text is not supervised.
  const auto least = static_cast<int>(2 * most + 2);
  check.expect(c.data.text_tokens >= least, "data.text_tokens: ", c.data.text_tokens, " is below ",
               least, " (a document of ", most,
               " pictures needs 2 for each and 2 of text). Raise it");
  check.expect(
      !c.control.captions && !c.control.grey, "control.captions: is ",
      c.control.captions ? "true" : "false", " and control.grey is ",
      c.control.grey ? "true" : "false",
      ", and data.kind is synthetic (made-up pictures have no captions). Set both to false");
  check.expect(!c.output.export_model,
               "output.export: is true and data.kind is synthetic (there is no tokenizer to write "
               "beside the weights). Set output.export = false");
}

}  // namespace

std::int64_t challenge_seed(std::string_view nonce) {
  const std::string hash =
      sha256_hex({reinterpret_cast<const std::uint8_t*>(nonce.data()), nonce.size()});
  return static_cast<std::int64_t>(std::stoull(hash.substr(0, 16), nullptr, 16) >> 2);
}

std::vector<std::string> problems(const RunConfig& c) {
  Checker check;
  visit(c, check);

  const ModelSection& model = c.model;
  check.expect(model.preset.empty() != model.folder.empty(), "model.preset: is \"", model.preset,
               "\" and model.folder is \"", model.folder,
               "\" (the weights come from exactly one of the two). Set one and leave the other "
               "empty");
  check.expect(model.challenge.empty() || model.folder.empty(),
               "model.challenge: is given beside model.folder (a challenge decides random weights, "
               "and those of a folder are known). Use a preset");
  check.expect(model.challenge.empty() || model.seed == challenge_seed(model.challenge),
               "model.seed: is ", model.seed, ", but model.challenge decides ",
               model.challenge.empty() ? 0 : challenge_seed(model.challenge),
               " (a run may not choose its own). Leave out the seed");
  check.expect((model.layers == 0 && model.vision_depth == 0 && model.vocabulary == 0) ||
                   model.folder.empty(),
               "model.layers: is ", model.layers, ", model.vision_depth ", model.vision_depth,
               " and model.vocabulary ", model.vocabulary,
               " beside model.folder (a checkpoint has the size it has). Use a preset, or 0");
  const auto known = [](DType type) {
    return std::find(std::begin(kPrecisions), std::end(kPrecisions), type) != std::end(kPrecisions);
  };
  check.expect(known(model.precision), "model.precision: is ", name_of(model.precision),
               " (weights are stored as fp32 or bf16). Use one of the two");
  check.expect(known(c.optimizer.state), "optimizer.state: is ", name_of(c.optimizer.state),
               " (states are stored as fp32 or bf16). Use one of the two");
  check.expect(c.optimizer.state != DType::bf16 || model.precision == DType::bf16,
               "optimizer.state: is bf16 and model.precision is ", name_of(model.precision),
               " (states in bf16 have no master copy beside weights in bf16, and fp32 weights are "
               "their own). Set model.precision = \"bf16\", or optimizer.state = \"fp32\"");
  check.expect(c.data.min_pixels <= c.data.max_pixels, "data.min_pixels: ", c.data.min_pixels,
               " is above data.max_pixels = ", c.data.max_pixels,
               " (no picture could have both). Exchange them");
  if (c.data.kind == DataKind::synthetic) check_synthetic(c, check);
  const TrainSection& train = c.train;
  check.expect(!(train.min_learning_rate > train.learning_rate),
               "train.min_learning_rate: ", train.min_learning_rate,
               " is above train.learning_rate = ", train.learning_rate,
               " (the schedule would rise). Lower min_learning_rate");
  check.expect(train.attention == AttentionBackend::own || model.precision == DType::bf16,
               "train.attention: is ", name_of(train.attention), " and model.precision is ",
               name_of(model.precision),
               " (cuDNN has no attention of fp32). Set model.precision = \"bf16\", or "
               "train.attention = \"own\"");
  const WindowSection& window = c.window;
  check.expect(window.steps + train.untimed_steps <= train.steps || window.steps == 0,
               "window.steps: ", window.steps, " and train.untimed_steps = ", train.untimed_steps,
               " are more than train.steps = ", train.steps,
               " (the window would never be full). Raise train.steps");
  if (!window.official) return check.found;
  const auto official = [&](const char* key, auto value, auto least, const char* rule) {
    check.expect(value >= least, key, ": is ", value, " (rule ", rule, " asks an official run for ",
                 least, "). Raise it, or set window.official = false");
  };
  official("train.untimed_steps", train.untimed_steps, 20, "R7");
  official("window.stationary", window.stationary, true, "R7");
  official("window.steps", window.steps, 100, "R9");
  official("window.seconds", window.seconds, 300.0, "R9");
  official("window.repetitions", window.repetitions, 3, "R10");
  official("verify.replayed_steps", c.verify.replayed_steps, 3, "V1");
  return check.found;
}

}  // namespace vlmark::config
