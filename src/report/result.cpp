#include "src/report/result.hpp"

#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>

#include "src/base/error.hpp"
#include "src/io/file.hpp"
#include "src/io/json_check.hpp"

namespace vlmark::report {
namespace {

using Json = nlohmann::json;

/// Required values of an object; what is wrong with them is collected.
class Fields {
 public:
  Fields(const Json& root, std::vector<std::string>& problems) : root_(root), problems_(problems) {}

  std::string text(const std::string& key) {
    const Json* value = find(key);
    if (value && value->is_string() && !value->get_ref<const std::string&>().empty())
      return value->get<std::string>();
    wrong(key, value, "a text");
    return {};
  }
  bool boolean(const std::string& key) {
    const Json* value = find(key);
    if (value && value->is_boolean()) return value->get<bool>();
    wrong(key, value, "true or false");
    return false;
  }
  int integer(const std::string& key, int least) {
    const Json* value = find(key);
    if (value && value->is_number_integer()) {
      const double number = value->get<double>();
      if (number >= least && number < 2147483648.0) return static_cast<int>(number);
    }
    wrong(key, value, "a whole number of at least " + std::to_string(least));
    return least;
  }
  double positive(const std::string& key) {
    return number(key, "a positive number", [](double x) { return x > 0; });
  }
  double number(const std::string& key, const char* expected,
                const std::function<bool(double)>& accepts) {
    const Json* value = find(key);
    if (value && value->is_number()) {
      const double number = value->get<double>();
      if (std::isfinite(number) && accepts(number)) return number;
    }
    wrong(key, value, expected);
    return 1;
  }
  std::vector<std::string> texts(const std::string& key) {
    std::vector<std::string> texts;
    const Json* value = find(key);
    if (value && value->is_array())
      for (const Json& item : *value)
        if (item.is_string()) texts.push_back(item.get<std::string>());
    if (!value || !value->is_array() || texts.size() != value->size())
      wrong(key, value, "a list of texts");
    return texts;
  }
  void require(const std::string& key, bool holds, const char* expected) {
    if (const Json* value = find(key); value && !holds) wrong(key, value, expected);
  }
  bool any() const { return !problems_.empty(); }

 private:
  /// "fom.value": the value within the object "fom".
  const Json* find(const std::string& key) const {
    const Json* at = &root_;
    for (std::size_t start = 0; at && start <= key.size();) {
      const std::size_t dot = std::min(key.find('.', start), key.size());
      const auto found = at->is_object() ? at->find(key.substr(start, dot - start)) : at->end();
      at = at->is_object() && found != at->end() ? &*found : nullptr;
      start = dot + 1;
    }
    return at;
  }
  void wrong(const std::string& key, const Json* value, const std::string& expected) {
    std::string shown = value ? value->dump(-1, ' ', true) : "";
    if (shown.size() > 120) shown = shown.substr(0, 117) + "...";
    problems_.push_back("'" + key + "' is " + (value ? shown : "absent") + " (expected " +
                        expected + ")");
  }

  const Json& root_;
  std::vector<std::string>& problems_;
};

bool is_sha256(const std::string& text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

}  // namespace

RunResult parse_result(std::string_view text, const std::string& file) {
  io::require_strict_json(text, file);
  const Json json = Json::parse(text);
  std::vector<std::string> problems;
  Fields fields(json, problems);
  RunResult r;
  r.file = file;
  if (const int schema = fields.integer("schema", 1); schema != 1)
    fields.require("schema", false, "1, the only one this version reads");
  r.rules = fields.text("rules");
  r.kind = fields.text("kind");
  fields.require("kind", r.kind == "measured" || r.kind == "emulated" || r.kind == "projected",
                 "measured, emulated or projected");
  r.valid = fields.boolean("valid");
  r.official = fields.boolean("official");
  r.flags = fields.texts("flags");
  r.fom.name = fields.text("fom.name");
  r.fom.unit = fields.text("fom.unit");
  r.fom.value = fields.positive("fom.value");
  const std::string better = fields.text("fom.better");
  r.fom.higher_is_better = better == "higher";
  fields.require("fom.better", better == "higher" || better == "lower", "higher or lower");
  r.fom.work = fields.positive("fom.work");
  r.fom.seconds = fields.positive("fom.seconds");
  // Written with 15 digits at least, so that only another number differs by more.
  const double rate = r.fom.work / r.fom.seconds;
  fields.require("fom.value",
                 !r.fom.name.ends_with("_per_s") || std::abs(r.fom.value / rate - 1) < 1e-9,
                 "fom.work / fom.seconds (R3)");
  r.model = fields.text("model");
  r.precision = fields.text("precision");
  r.tier = fields.text("tier");
  r.layout = fields.text("layout");
  r.instruction_set = fields.text("instruction_set");
  r.manifest_sha256 = fields.text("manifest_sha256");
  fields.require("manifest_sha256", is_sha256(r.manifest_sha256), "64 hexadecimal digits");
  r.ranks = fields.integer("ranks", 1);
  r.repetition = fields.integer("repetition.index", 1);
  r.declared = fields.integer("repetition.declared", 1);
  r.steps.window = fields.integer("steps.window", 1);
  r.steps.excluded = fields.integer("steps.excluded", 0);
  r.steps.median_s = fields.positive("steps.median_s");
  r.steps.cv = fields.number("steps.cv", "0 or more", [](double x) { return x >= 0; });
  r.steps.lag1 = fields.number("steps.lag1", "-1 to 1", [](double x) { return std::abs(x) <= 1; });
  if (fields.any()) {
    std::string all;
    for (const std::string& problem : problems) all += (all.empty() ? "" : ", ") + problem;
    throw IoError(file + ": " + all + ". Run `vlmark verify` on its folder, or launch it again");
  }
  return r;
}

RunResult read_result(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / kResultFile;
  return parse_result(io::read_text_file(file), file.string());
}

}  // namespace vlmark::report
