#include "src/report/result.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "src/base/error.hpp"
#include "src/io/file.hpp"
#include "src/io/json_check.hpp"
#include "src/report/json_fields.hpp"

namespace vlmark::report {
namespace {

bool is_sha256(const std::string& text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

}  // namespace

RunResult parse_result(std::string_view text, const std::string& file) {
  io::require_strict_json(text, file);
  const nlohmann::json json = nlohmann::json::parse(text);
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
  if (!problems.empty())
    throw IoError(file + ": " + listed(problems) +
                  ". Run `vlmark verify` on its folder, or launch it again");
  return r;
}

RunResult read_result(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / kResultFile;
  return parse_result(io::read_text_file(file), file.string());
}

}  // namespace vlmark::report
