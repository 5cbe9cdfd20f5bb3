#include "src/report/quantity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "src/report/markup.hpp"

namespace vlmark::report {
namespace {

WrittenUnit power(double typical, double base, std::span<const char* const> prefixes,
                  const char* symbol) {
  WrittenUnit unit{1, std::string(prefixes[0]) + symbol};
  for (std::size_t i = 1; i < prefixes.size() && std::abs(typical) >= base * unit.factor; ++i)
    unit = {unit.factor * base, std::string(prefixes[i]) + symbol};
  return unit;
}

}  // namespace

WrittenUnit written_unit(Unit unit, double typical) {
  constexpr const char* decimal[] = {"", "k", "M", "G", "T", "P", "E"};
  constexpr const char* binary[] = {"", "Ki", "Mi", "Gi", "Ti", "Pi"};
  switch (unit) {
    case Unit::none:
    case Unit::count:
      return {};
    case Unit::seconds:
      if (std::abs(typical) >= 1 || typical == 0) return {1, "s"};
      return std::abs(typical) >= 1e-3 ? WrittenUnit{1e-3, "ms"} : WrittenUnit{1e-6, "\u00b5s"};
    case Unit::bytes:
      return power(typical, 1024, binary, "B");
    case Unit::flops:
      return power(typical, 1000, decimal, "FLOP");
    case Unit::flops_per_second:
      return power(typical, 1000, decimal, "FLOP/s");
    case Unit::bytes_per_second:
      return power(typical, 1000, decimal, "B/s");
    case Unit::fraction:
      return {0.01, "%"};
  }
  return {};
}

WrittenUnit written_unit(Unit unit, std::span<const double> values) {
  double largest = 0;
  for (const double value : values)
    if (std::isfinite(value)) largest = std::max(largest, std::abs(value));
  return written_unit(unit, largest);
}

std::string significant(double value, int digits) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "infinite" : "-infinite";
  if (value == 0) return "0";
  const double size = std::abs(value);
  if (size >= 1e15 || size < 1e-4) return fmt::format("{:.{}e}", value, digits - 1);
  if (size < 1e15 && value == std::floor(value)) return fmt::format("{:.0f}", value);
  // The exponent of the rounded number: 0.09999999 is written as 0.1000.
  const std::string rounded = fmt::format("{:.{}e}", size, digits - 1);
  const int before = std::stoi(rounded.substr(rounded.find('e') + 1)) + 1;
  return fmt::format("{:.{}f}", value, std::max(0, digits - before));
}

std::string quantity(double value, Unit unit) {
  const WrittenUnit written = written_unit(unit, value);
  return significant(value / written.factor) + (written.symbol.empty() ? "" : " ") + written.symbol;
}

std::string quantity_html(double value, const WrittenUnit& unit) {
  return fmt::format("<data value=\"{}\">{}{}{}</data>", value, significant(value / unit.factor),
                     unit.symbol.empty() ? "" : "\u00a0", escaped(unit.symbol));
}

}  // namespace vlmark::report
