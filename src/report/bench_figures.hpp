#pragma once

#include <string>
#include <vector>

#include "src/report/figures.hpp"
#include "src/report/shown_bench.hpp"

namespace vlmark::report {

// Figures of benchmark records, as those of figures.hpp; empty where a record has no such cases. All
// records of a page have the same axes.

/// Bounds of both axes.
struct Plane {
  Bounds x, y;
};

/// Per cent of the roofline of every case, a row for each kernel, a colour for each precision; 100 %
/// is marked.
std::string kernel_percent_figure(const ShownBench& bench, const Bounds& percent, double width);
Bounds percent_bounds(const std::vector<ShownBench>& benches);

/// FLOP/s over FLOP/byte of every case of a precision that has FLOPs, a colour for each family of
/// kernels, under the roof of the record.
std::string kernel_roofline_figure(const ShownBench& bench, const std::string& precision,
                                   const Plane& plane, double width);
Plane roofline_plane(const std::vector<ShownBench>& benches);

/// Bus bandwidth over size, a line for each collective.
std::string collectives_figure(const ShownBench& bench, const Plane& plane, double width);
Plane collectives_plane(const std::vector<ShownBench>& benches);

/// Precisions of the kernels, in the order in which they first come.
std::vector<std::string> precisions_of(const ShownBench& bench);

/// Takes a positive value into bounds that begin as {0, 0}.
void widen(Bounds& bounds, double value);

}  // namespace vlmark::report
