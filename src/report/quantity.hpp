#pragma once

#include <span>
#include <string>

#include "src/report/shown_run.hpp"

namespace vlmark::report {

/// A unit as it is written: value / factor, then the symbol.
struct WrittenUnit {
  double factor = 1;
  std::string symbol;  ///< "ms", "GiB", "TFLOP/s", "%", ""
};

/// The unit in which numbers of about that size are short to write. s: µs, ms, s; byte: powers of
/// 1024; FLOP, FLOP/s and byte/s: powers of 1000; fraction: %.
WrittenUnit written_unit(Unit unit, double typical);
/// One unit for numbers that stand side by side: that of the largest.
WrittenUnit written_unit(Unit unit, std::span<const double> values);

/// Four significant digits, or all of those before the point: "0.01234", "2450", "1234567"; beyond
/// 1e15 and below 1e-4 with an exponent; "NaN", "infinite".
std::string significant(double value, int digits = 4);

/// "12.34 ms".
std::string quantity(double value, Unit unit);
/// `<data value="0.01234">12.34 ms</data>`: rounded for the eye, whole for a program.
std::string quantity_html(double value, const WrittenUnit& unit);

}  // namespace vlmark::report
