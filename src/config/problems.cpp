#include <cmath>
#include <sstream>

#include "src/base/error.hpp"
#include "src/config/fields.hpp"

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

}  // namespace

std::vector<std::string> problems(const RunConfig& c) {
  Checker check;
  visit(c, check);

  const ModelSection& model = c.model;
  check.expect(model.preset.empty() != model.folder.empty(), "model.preset: is \"", model.preset,
               "\" and model.folder is \"", model.folder,
               "\" (the weights come from exactly one of the two). Set one and leave the other "
               "empty");
  bool known_precision = false;
  for (const DType type : kPrecisions) known_precision |= model.precision == type;
  check.expect(known_precision, "model.precision: is ", name_of(model.precision),
               " (weights are stored as fp32 or bf16). Use one of the two");
  check.expect(c.data.min_pixels <= c.data.max_pixels, "data.min_pixels: ", c.data.min_pixels,
               " is above data.max_pixels = ", c.data.max_pixels,
               " (no picture could have both). Exchange them");
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
  return check.found;
}

std::vector<std::string> problems(const RunConfig& c, int ranks) {
  Checker check;
  check.found = problems(c);
  check.expect(c.parallel.data == 0 || c.parallel.data == ranks, "parallel.data: ", c.parallel.data,
               " differs from the ", ranks,
               " ranks of this job (every rank is a data-parallel one)"
               ". Start ",
               c.parallel.data, " ranks or set 0 for all");
  check.expect(c.train.micro_batches >= ranks, "train.micro_batches: ", c.train.micro_batches,
               " micro-batches of a step cannot feed ", ranks,
               " ranks (some would have no work). Use at least ", ranks, " or start fewer ranks");
  return check.found;
}

void require_valid(const RunConfig& config, int ranks) {
  std::string text;
  for (const auto& problem : problems(config, ranks)) text += (text.empty() ? "" : "\n") + problem;
  if (!text.empty()) throw ConfigError(text);
}

}  // namespace vlmark::config
