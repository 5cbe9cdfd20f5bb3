#include "src/verification/rows.hpp"

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "parallel/gather.hpp"

namespace vlmark::verification {
namespace {

bool worse(const io::Verification& a, const io::Verification& b) {
  if (a.passed != b.passed) return !a.passed;
  return std::isnan(a.value) || a.value > b.value;
}

// JSON has no NaN: numbers travel as the text of a double.
std::string number(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%a", value);
  return text;
}
double number(const std::string& text) { return std::strtod(text.c_str(), nullptr); }

}  // namespace

Finding finding(std::string rule, std::string key, double value, double limit,
                const std::string& detail) {
  std::string item = key + (detail.empty() ? "" : " (" + detail + ")");
  return {std::move(key), {std::move(rule), std::move(item), value, limit, value <= limit}};
}

std::vector<io::Verification> worst_of_ranks(parallel::Communicator& comm,
                                             const std::vector<Finding>& mine) {
  nlohmann::json table = nlohmann::json::array();
  for (const auto& [key, c] : mine)
    table.push_back({key, c.rule, c.item, number(c.value), number(c.limit), c.passed});
  std::map<std::pair<std::string, std::string>, io::Verification> worst;
  for (const std::string& text : parallel::all_gather_strings(comm, table.dump()))
    for (const auto& row : nlohmann::json::parse(text)) {
      const io::Verification check{row[1], row[2], number(row[3].get<std::string>()),
                                   number(row[4].get<std::string>()), row[5]};
      const auto [at, is_new] = worst.try_emplace({check.rule, row[0]}, check);
      if (!is_new && worse(check, at->second)) at->second = check;
    }
  std::vector<io::Verification> rows;
  for (const auto& [key, check] : worst) rows.push_back(check);
  return rows;
}

}  // namespace vlmark::verification
