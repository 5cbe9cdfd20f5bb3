#include "bench/record.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "bench/spread.hpp"
#include "src/base/build.hpp"
#include "src/base/clock.hpp"
#include "src/base/error.hpp"
#include "src/base/isa.hpp"
#include "src/io/record.hpp"

namespace vlmark::bench {
namespace {

using Json = nlohmann::ordered_json;

std::filesystem::path path_in(const std::string& folder) {
  return std::filesystem::path(folder) / "bench.json";
}

Json json_of(const Row& row) {
  Json j{{"name", row.name}, {"status", row.status}};
  if (!row.detail.empty()) j["detail"] = row.detail;
  for (const auto& [key, text] : row.texts) j[key] = text;
  for (const auto& [key, number] : row.numbers) {
    if (number == std::floor(number) && std::abs(number) < 0x1p53)
      j[key] = static_cast<std::int64_t>(number);
    else
      j[key] = number;
  }
  if (row.status == "ok") {
    const Spread s = spread_of(row.seconds);
    j["seconds"] = {
        {"median", s.median}, {"min", s.least}, {"max", s.most}, {"samples", row.seconds}};
  }
  return j;
}

}  // namespace

int Record::failed() const {
  return static_cast<int>(std::count_if(rows.begin(), rows.end(),
                                        [](const Row& row) { return row.status == "failed"; }));
}

std::string to_json(const Record& record) {
  Json j{{"schema", "vlmark.bench/1"},
         {"kind", "measured"},
         {"rules", io::kRulesVersion},
         {"program", record.program},
         {"started_utc", record.started_utc},
         {"ended_utc", utc_now()},
         {"provenance",
          {{"instruction_set", instruction_set()},
           {"compute_library", compute_library()},
           {"cpu", cpu_model()},
           {"threads", record.threads},
           {"ranks", record.ranks},
           {"compiler", std::string("g++ ") + __VERSION__},
#ifdef VLMARK_CONTRACTS
           {"contracts", "on"},
#else
           {"contracts", "off"},
#endif
           {"arguments", record.arguments}}}};
  j["rooflines"] = Json::object();
  for (const auto& [key, rate] : record.rooflines) j["rooflines"][key] = rate;
  j["rows"] = Json::array();
  for (const Row& row : record.rows) j["rows"].push_back(json_of(row));
  return j.dump(1) + "\n";
}

void require_no_record(const std::string& folder) {
  if (std::filesystem::exists(path_in(folder)))
    throw IoError("bench: " + path_in(folder).string() +
                  " exists (a measurement is never overwritten). Name another folder");
}

void write_record(const std::string& folder, const Record& record) {
  require_no_record(folder);
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  std::ofstream file(path_in(folder));
  file << to_json(record);
  file.close();
  if (failed || !file)
    throw IoError("bench: " + path_in(folder).string() +
                  " cannot be written (the results would be lost). Check the folder and its space");
}

}  // namespace vlmark::bench
