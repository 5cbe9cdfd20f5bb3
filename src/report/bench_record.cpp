#include "src/report/bench_record.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "src/base/error.hpp"
#include "src/io/file.hpp"
#include "src/io/json_check.hpp"
#include "src/report/json_fields.hpp"

namespace vlmark::report {
namespace {

using Json = nlohmann::json;

/// All kernels, models, layouts and precisions make about a tenth of it. Groups are found case by
/// case, which a hostile record must not draw out.
constexpr std::size_t kMostRows = 20000;

/// Rates and sizes that logarithmic axes can show; quotients of two of them are finite.
double size(Fields& fields, const std::string& key) {
  return fields.number(key, "a number from 1e-30 to 1e30",
                       [](double x) { return x >= 1e-30 && x <= 1e30; });
}

/// The same, or nothing.
double amount(Fields& fields, const std::string& key) {
  return fields.number(key, "0, or a number from 1e-30 to 1e30",
                       [](double x) { return x == 0 || (x >= 1e-30 && x <= 1e30); });
}

CallTime spread(Fields& fields, const std::string& median, const std::string& least,
                const std::string& most) {
  const CallTime t{size(fields, median), size(fields, least), size(fields, most)};
  fields.require(median, t.least <= t.median && t.median <= t.most, "between least and largest");
  return t;
}

CallTime call_time(Fields& fields) {
  return spread(fields, "seconds.median", "seconds.min", "seconds.max");
}

/// Numbers are written with all their digits, so that only another number differs by more.
void require_rate(Fields& fields, const std::string& key, double rate, double work,
                  const CallTime& seconds) {
  const double expected = work / seconds.median;
  fields.require(key, std::abs(rate - expected) <= 1e-9 * expected, "work / seconds.median");
}

KernelCase kernel_case(Fields& fields) {
  KernelCase c;
  c.name = fields.text("name");
  c.kernel = fields.text("kernel");
  c.layer = fields.text("layer");
  c.model = fields.text("model");
  c.precision = fields.text("precision");
  c.shape = fields.text("shape");
  c.implementation = fields.optional_text("implementation");
  c.bound_by = fields.text("bound_by");
  c.tensor_ranks = fields.integer("tensor_ranks", 1);
  c.flops = amount(fields, "flops");
  c.bytes = size(fields, "bytes");
  c.seconds = call_time(fields);
  c.flops_per_second = amount(fields, "flop_per_s");
  c.bytes_per_second = size(fields, "byte_per_s");
  require_rate(fields, "flop_per_s", c.flops_per_second, c.flops, c.seconds);
  require_rate(fields, "byte_per_s", c.bytes_per_second, c.bytes, c.seconds);
  c.roofline_percent = size(fields, "roofline_percent");
  c.error = fields.number("error_over_allowed", "0 to 1 of a case that is ok",
                          [](double x) { return x >= 0 && x <= 1; });
  return c;
}

CollectiveCase collective_case(Fields& fields) {
  CollectiveCase c;
  c.name = fields.text("name");
  c.collective = fields.text("collective");
  c.ranks = fields.integer("ranks", 1);
  c.bytes = size(fields, "bytes");
  c.seconds = call_time(fields);
  c.of_ranks = spread(fields, "rank_seconds_median", "rank_seconds_min", "rank_seconds_max");
  c.algorithm_rate = size(fields, "algorithm_byte_per_s");
  c.bus_rate = size(fields, "bus_byte_per_s");
  require_rate(fields, "algorithm_byte_per_s", c.algorithm_rate, c.bytes, c.seconds);
  fields.number("wrong_elements", "0 of a case that is ok", [](double x) { return x == 0; });
  return c;
}

void take_row(const Json& row, Fields& fields, ShownBench& bench) {
  const std::string status = fields.text("status");
  if (status == "failed" || status == "skipped")
    bench.untimed.push_back({fields.text("name"), status == "failed", fields.text("detail")});
  else if (status != "ok")
    fields.require("status", false, "ok, skipped or failed");
  else if (row.contains("collective"))
    bench.collectives.push_back(collective_case(fields));
  else
    bench.kernels.push_back(kernel_case(fields));
}

void take_provenance(Fields& fields, ShownBench& bench) {
  const auto add = [&bench](const char* label, std::string text) {
    bench.provenance.emplace_back(label, std::move(text));
  };
  add("program", fields.text("program"));
  const std::string kind = fields.text("kind");
  fields.require("kind", kind == "measured", "measured");
  add("kind", kind);
  add("rules", fields.text("rules"));
  add("begin", fields.text("started_utc"));
  add("end", fields.text("ended_utc"));
  add("instruction set", fields.text("provenance.instruction_set"));
  add("compute library", fields.text("provenance.compute_library"));
  add("processor", fields.text("provenance.cpu"));
  add("ranks", std::to_string(fields.integer("provenance.ranks", 1)));
  add("threads of a rank", std::to_string(fields.integer("provenance.threads", 1)));
  add("compiler", fields.text("provenance.compiler"));
  add("contracts", fields.text("provenance.contracts"));
  std::string arguments;
  for (const std::string& word : fields.texts("provenance.arguments"))
    arguments += (arguments.empty() ? "" : " ") + word;
  add("arguments", arguments);
}

void require_schema(const Json& json, const std::string& file) {
  const auto schema = json.is_object() ? json.find("schema") : json.end();
  std::string shown = "absent";
  if (json.is_object() && schema != json.end()) {
    if (*schema == kBenchSchema) return;
    shown = schema->dump(-1, ' ', true);
    if (shown.size() > 120) shown = shown.substr(0, 117) + "...";
  }
  throw IoError(file + ": 'schema' is " + shown + " (expected \"" + kBenchSchema +
                "\", the only one this version reads). Show it with the version of vlmark that "
                "wrote it, or measure again");
}

}  // namespace

int ShownBench::failed() const {
  return static_cast<int>(
      std::count_if(untimed.begin(), untimed.end(), [](const UntimedCase& c) { return c.failed; }));
}

ShownBench parse_bench(std::string_view text, const std::string& file) {
  io::require_strict_json(text, file);
  const Json json = Json::parse(text);
  require_schema(json, file);
  std::vector<std::string> problems;
  Fields fields(json, problems);
  ShownBench bench;
  take_provenance(fields, bench);
  std::set<std::string> names;
  const Json* rows = fields.array("rows");
  fields.require("rows", !rows || rows->size() <= kMostRows, "at most 20000 rows");
  if (rows && rows->size() <= kMostRows)
    for (std::size_t i = 0; i < rows->size(); ++i) {
      const std::string where = "rows[" + std::to_string(i) + "].";
      Fields of_row((*rows)[i], problems, where);
      take_row((*rows)[i], of_row, bench);
      const std::string name = of_row.optional_text("name");
      of_row.require("name", names.insert(name).second, "a name that no other row has");
    }
  // Collectives are held against no ceiling.
  const bool measured = !bench.kernels.empty() || !json.value("rooflines", Json::object()).empty();
  if (measured) {
    for (const char* precision : {"fp32", "bf16"})
      bench.product_rates[precision] =
          size(fields, std::string("rooflines.gemm_") + precision + "_flop_per_s");
    bench.copy_rate = size(fields, "rooflines.copy_byte_per_s");
  }
  if (!problems.empty())
    throw IoError(file + ": " + listed(problems) +
                  " (a report shows nothing that is not sound). Measure again, or take the file "
                  "from where it was written");
  return bench;
}

ShownBench read_bench(const std::filesystem::path& folder, const std::string& name) {
  const std::filesystem::path file = folder / kBenchFile;
  ShownBench bench = parse_bench(io::read_text_file(file), file.string());
  bench.name = name;
  return bench;
}

}  // namespace vlmark::report
