#include "src/report/drawing.hpp"

#include <fmt/format.h>

#include <cmath>

#include "src/report/markup.hpp"
#include "src/report/style.hpp"

namespace vlmark::report {
namespace {

std::string tooltip_of(const std::string& words) {
  return words.empty() ? "" : "<title>" + escaped(words) + "</title>";
}

std::string labelled(const std::string& label, const WrittenUnit& unit) {
  return unit.symbol.empty() ? label : label + ", " + unit.symbol;
}

/// "100", "10k", "1M": decades of a logarithmic axis stand close together.
std::string tick_text(double tick, bool logarithmic) {
  if (!logarithmic || tick < 1e4 || tick >= 1e15) return fmt::format("{:g}", tick);
  const WrittenUnit unit = written_unit(Unit::flops, tick);
  return fmt::format("{:g}{}", tick / unit.factor, unit.symbol.substr(0, 1));
}

std::size_t characters(const std::string& words) {
  std::size_t count = 0;
  for (const char c : words) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return count;
}

}  // namespace

void Drawing::line(double x1, double y1, double x2, double y2, const std::string& style) {
  svg_ +=
      fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" class=\"{}\"/>\n",
                  x1, y1, x2, y2, style);
}

void Drawing::rect(double x, double y, double width, double height, const std::string& style,
                   const std::string& tooltip) {
  svg_ += fmt::format(
      "<rect x=\"{:.2f}\" y=\"{:.1f}\" width=\"{:.2f}\" height=\"{:.1f}\" class=\"{}\">{}</rect>\n",
      x, y, width, height, style, tooltip_of(tooltip));
}

void Drawing::circle(double x, double y, double radius, const std::string& style,
                     const std::string& tooltip) {
  svg_ += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\" class=\"{}\">{}</circle>\n",
                      x, y, radius, style, tooltip_of(tooltip));
}

void Drawing::path(const std::string& d, const std::string& style, const std::string& tooltip) {
  svg_ += fmt::format("<path d=\"{}\" class=\"{}\">{}</path>\n", d, style, tooltip_of(tooltip));
}

void Drawing::text(double x, double y, const std::string& words, const char* anchor,
                   const std::string& style) {
  svg_ += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\" class=\"{}\">{}</text>\n",
                      x, y, anchor, style, escaped(words));
}

void Drawing::upright(double x, double y, const std::string& words) {
  svg_ += fmt::format(
      "<text transform=\"translate({:.1f} {:.1f}) rotate(-90)\" text-anchor=\"middle\" "
      "class=\"soft\">{}</text>\n",
      x, y, escaped(words));
}

void Drawing::axis_below(const Scale& x, double y, double top, const std::string& label,
                         const WrittenUnit& unit, int most) {
  for (const double tick :
       ticks({x.low / unit.factor, x.high / unit.factor, x.from, x.to, x.logarithmic}, most)) {
    const double place = x.at(tick * unit.factor);
    line(place, top, place, y, "grid");
    text(place, y + 16, tick_text(tick, x.logarithmic), "middle", "soft");
  }
  line(x.from, y, x.to, y, "axis");
  text((x.from + x.to) / 2, y + 34, labelled(label, unit), "middle", "soft");
}

void Drawing::axis_left(const Scale& y, double x, double right, const std::string& label,
                        const WrittenUnit& unit, int most) {
  for (const double tick :
       ticks({y.low / unit.factor, y.high / unit.factor, y.from, y.to, y.logarithmic}, most)) {
    const double place = y.at(tick * unit.factor);
    line(x, place, right, place, "grid");
    text(x - 6, place + 4, tick_text(tick, y.logarithmic), "end", "soft");
  }
  line(x, y.from, x, y.to, "axis");
  upright(13, (y.from + y.to) / 2, labelled(label, unit));
}

double Drawing::legend(double x, double y,
                       const std::vector<std::pair<std::string, std::string>>& entries) {
  double at = x;
  for (const auto& [style, words] : entries) {
    const double length = text_width(words) + 30;
    if (at > x && at + length > width_) at = x, y += 18;
    rect(at, y, 11, 11, style);
    text(at + 16, y + 10, words);
    at += length;
  }
  return entries.empty() ? y : y + 18;
}

std::string Drawing::finish(double height, const std::string& label) const {
  return fmt::format(
             "<svg class=\"figure\" role=\"img\" aria-label=\"{0}\" width=\"{1:.0f}\" "
             "height=\"{2:.0f}\" viewBox=\"0 0 {1:.0f} {2:.0f}\">\n",
             escaped(label), width_, std::ceil(height)) +
         svg_ + "</svg>\n";
}

double text_width(const std::string& words) { return 6.6 * static_cast<double>(characters(words)); }

std::string shortened(const std::string& words, std::size_t most) {
  if (characters(words) <= most) return words;
  std::string cut;
  std::size_t count = 0;
  for (const char c : words) {
    if ((static_cast<unsigned char>(c) & 0xC0) != 0x80 && ++count > most - 1) break;
    cut += c;
  }
  return cut + "\u2026";
}

std::string standalone(const std::string& svg) {
  const std::size_t end = svg.find('>');
  return "<svg xmlns=\"http://www.w3.org/2000/svg\"" + svg.substr(4, end - 3) + "\n<style>" +
         colour_style() + figure_style() +
         "</style>\n<rect width=\"100%\" height=\"100%\" class=\"paper\"/>" + svg.substr(end + 1);
}

}  // namespace vlmark::report
