#include <fmt/format.h>

#include <algorithm>

#include "src/report/bench_figures.hpp"
#include "src/report/drawing.hpp"
#include "src/report/style.hpp"

namespace vlmark::report {
namespace {

constexpr double left = 68, right = 16, height = 280;

struct Curve {
  std::string collective;
  std::vector<const CollectiveCase*> cases;  ///< by size
};

std::vector<Curve> curves_of(const ShownBench& bench) {
  std::vector<Curve> curves;
  for (const CollectiveCase& c : bench.collectives) {
    auto at = std::find_if(curves.begin(), curves.end(),
                           [&c](const Curve& curve) { return curve.collective == c.collective; });
    if (at == curves.end()) at = curves.insert(at, {c.collective, {}});
    at->cases.push_back(&c);
  }
  for (Curve& curve : curves)
    std::stable_sort(curve.cases.begin(), curve.cases.end(),
                     [](const auto* a, const auto* b) { return a->bytes < b->bytes; });
  return curves;
}

}  // namespace

Plane collectives_plane(const std::vector<ShownBench>& benches) {
  Plane plane;
  for (const ShownBench& bench : benches)
    for (const CollectiveCase& c : bench.collectives) {
      widen(plane.x, c.bytes);
      widen(plane.y, c.bus_rate);
    }
  return plane;
}

std::string collectives_figure(const ShownBench& bench, const Plane& plane, double width) {
  const std::vector<Curve> curves = curves_of(bench);
  if (curves.empty()) return {};
  Drawing drawing(width);
  std::vector<std::pair<std::string, std::string>> entries;
  for (std::size_t i = 0; i < curves.size(); ++i)
    entries.emplace_back(fmt::format("s{}", i % kSeriesColours), curves[i].collective);
  const double top = drawing.legend(left, 4, entries) + 8, bottom = top + height;
  const Scale x = log_axis_for(plane.x.low, plane.x.high, left, width - right);
  const Scale y = log_axis_for(plane.y.low, plane.y.high, bottom, top);
  drawing.axis_below(x, bottom, top, "size", {1, "byte"});
  drawing.axis_left(y, left, width - right, "bus bandwidth", {1, "byte/s"});
  for (std::size_t i = 0; i < curves.size(); ++i) {
    std::string d;
    for (const CollectiveCase* c : curves[i].cases)
      d += fmt::format("{}{:.1f} {:.1f}", d.empty() ? "M" : "L", x.at(c->bytes), y.at(c->bus_rate));
    drawing.path(d, fmt::format("curve l{}", i % kSeriesColours), curves[i].collective);
    for (const CollectiveCase* c : curves[i].cases)
      drawing.circle(x.at(c->bytes), y.at(c->bus_rate), 3.2,
                     fmt::format("bar s{}", i % kSeriesColours),
                     c->name + ": " + quantity(c->bus_rate, Unit::bytes_per_second));
  }
  return drawing.finish(bottom + 40, "Bus bandwidth of collectives of " + bench.name);
}

}  // namespace vlmark::report
