#include <fmt/format.h>

#include <array>

#include "src/report/bench_figures.hpp"
#include "src/report/drawing.hpp"
#include "src/report/roof.hpp"
#include "src/report/style.hpp"

namespace vlmark::report {
namespace {

constexpr double left = 68, right = 16, height = 300;

/// Each has a colour of its own.
constexpr const char* families[] = {"products", "attention", "norms", "activations",
                                    "rotary",   "optimizer", "others"};
static_assert(std::size(families) <= kSeriesColours);

struct Word {
  const char* part;  ///< of the name of a kernel
  std::size_t family;
};
/// The first that fits.
constexpr Word words[] = {{"linear", 0},     {"head", 0},   {"attention", 1},   {"norm", 2},
                          {"activation", 3}, {"swiglu", 3}, {"softmax", 3},     {"rotate", 4},
                          {"rope", 4},       {"adamw", 5},  {"square_sums", 5}, {"mean_of", 5}};

std::size_t family_of(const std::string& kernel) {
  for (const Word& word : words)
    if (kernel.find(word.part) != std::string::npos) return word.family;
  return std::size(families) - 1;
}

std::string colour(std::size_t family) { return fmt::format("bar s{}", family); }

/// FLOP/byte.
double intensity(const KernelCase& c) { return c.flops / c.bytes; }

}  // namespace

Plane roofline_plane(const std::vector<ShownBench>& benches) {
  Plane plane;
  for (const ShownBench& bench : benches) {
    for (const KernelCase& c : bench.kernels) {
      if (!(c.flops > 0)) continue;
      widen(plane.x, intensity(c));
      widen(plane.y, c.flops_per_second);
    }
    for (const auto& [precision, rate] : bench.product_rates) {
      widen(plane.y, rate);
      if (bench.copy_rate) widen(plane.x, rate / *bench.copy_rate);
    }
  }
  return plane;
}

std::string kernel_roofline_figure(const ShownBench& bench, const std::string& precision,
                                   const Plane& plane, double width) {
  std::vector<const KernelCase*> shown;
  std::array<bool, std::size(families)> present{};
  for (const KernelCase& c : bench.kernels) {
    if (c.precision != precision || !(c.flops > 0)) continue;
    shown.push_back(&c);
    present[family_of(c.kernel)] = true;
  }
  if (shown.empty()) return {};
  Drawing drawing(width);
  std::vector<std::pair<std::string, std::string>> entries;
  for (std::size_t f = 0; f < std::size(families); ++f)
    if (present[f]) entries.emplace_back(colour(f), families[f]);
  const double top = drawing.legend(left, 4, entries) + 8, bottom = top + height;
  const Scale x = log_axis_for(plane.x.low, plane.x.high, left, width - right);
  const Scale y = log_axis_for(plane.y.low, plane.y.high, bottom, top);
  drawing.axis_below(x, bottom, top, "arithmetic intensity, FLOP/byte", {});
  drawing.axis_left(y, left, width - right, "rate",
                    written_unit(Unit::flops_per_second, plane.y.high));
  for (const KernelCase* c : shown)
    drawing.circle(x.at(intensity(*c)), y.at(c->flops_per_second), 3.5,
                   colour(family_of(c->kernel)),
                   c->name + ": " + quantity(c->flops_per_second, Unit::flops_per_second));
  const auto peak = bench.product_rates.find(precision);
  MachineRates machine{.flops_per_second = {}, .bytes_per_second = bench.copy_rate};
  if (peak != bench.product_rates.end()) machine.flops_per_second = peak->second;
  draw_roof(drawing, machine, x, y);
  return drawing.finish(bottom + 40, "Roofline in " + precision + " of " + bench.name);
}

}  // namespace vlmark::report
