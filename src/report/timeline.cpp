#include "src/report/timeline.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "src/report/markup.hpp"
#include "src/report/scale.hpp"

namespace vlmark::report {
namespace {

struct Colour {
  const char* kind;
  const char* label;
  const char* fill;
};
// Kinds that share a colour share the label of the first.
constexpr Colour colours[] = {{"forward", "forward", "#4c78a8"},
                              {"backward", "backward", "#f58518"},
                              {"embedding_backward", "embedding backward", "#d67195"},
                              {"join_gradients", "join gradients", "#eeca3b"},
                              {"join_bucket", "join a bucket", "#c9b037"},
                              {"square_sums", "square sums", "#9d755d"},
                              {"optimizer_slice", "optimizer", "#54a24b"},
                              {"load", "load", "#bab0ac"},
                              {"sum_replicated", "sum over tensor ranks", "#ff9da6"},
                              {"average_replicated", "average over tensor ranks", "#ffbf79"},
                              {"broadcast_lengths", "lengths of micro-batches", "#8cd17d"},
                              {"finish_receive", "receive (and wait)", "#72b7b2"},
                              {"finish_send", "send (and wait)", "#a3d9d5"},
                              {"reduce_bucket", "reduce a bucket", "#e45756"},
                              {"gather_bucket", "gather a bucket", "#b279a2"},
                              {"global_norm", "global norm (and wait)", "#79706e"}};
constexpr const char* other = "#333333";  // posts: a mark, not a bar

const char* fill_of(const std::string& kind) {
  for (const Colour& colour : colours)
    if (kind == colour.kind) return colour.fill;
  return other;
}

constexpr double left = 120, right = 20, width = 1000, row = 15, bar = 11, gap = 8;

/// Black or white, whichever stands out more: its contrast is 4.58 at least on any colour.
const char* ink_on(const std::string& fill) {
  const auto channel = [&fill](std::size_t at) {
    const double value = std::stoi(fill.substr(at, 2), nullptr, 16) / 255.0;
    return value <= 0.04045 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4);
  };
  // Relative luminance of WCAG 2; both contrasts are equal at 0.179.
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5) > 0.179 ? "black"
                                                                                 : "white";
}

class TimelineDrawing {
 public:
  TimelineDrawing(const std::vector<Timeline>& timelines, const std::vector<std::string>& lanes)
      : lanes_(lanes) {
    for (const Timeline& timeline : timelines)
      for (const TimelineBar& b : timeline.bars) {
        longest_ = std::max(longest_, b.end);
        rows_.insert({b.rank, b.lane});
        kinds_.insert(b.kind);
      }
    if (longest_ <= 0) longest_ = 1;
    // The axis is in the unit in which a step is short to write.
    if (longest_ < 1e-3)
      unit_ = {1e6, "\u00b5s"};
    else if (longest_ < 1)
      unit_ = {1e3, "ms"};
  }

  void draw(const Timeline& timeline) {
    y_ += 22;
    text(left, y_ - 7, timeline.title, "font-weight=\"bold\"");
    const double top = y_;
    int before = -1;
    for (const auto& [rank, lane] : rows_) {
      if (before >= 0 && rank != before) y_ += gap;
      before = rank;
      text(left - 6, y_ + bar - 1,
           fmt::format("rank {} {}", rank, lanes_[static_cast<std::size_t>(lane)]),
           "text-anchor=\"end\"");
      svg_ += fmt::format(
          "<rect x=\"{}\" y=\"{:.1f}\" width=\"{}\" height=\"{}\" fill=\"#f4f4f4\" "
          "class=\"row\"/>\n",
          left, y_, width, bar);
      for (const TimelineBar& b : visible(timeline, rank, lane)) draw(b);
      y_ += row;
    }
    axis(top);
  }

  std::string finish() {
    legend();
    return fmt::format(
               "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"timeline\" width=\"{0}\" "
               "height=\"{1:.0f}\" "
               "viewBox=\"0 0 {0} {1:.0f}\" font-family=\"Helvetica, Arial, sans-serif\" "
               "font-size=\"10\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\" "
               "class=\"paper\"/>\n",
               left + width + right, y_ + 6) +
           svg_ + "</svg>\n";
  }

 private:
  double x(double seconds) const { return left + seconds / longest_ * width; }
  void text(double at, double y, const std::string& words, const std::string& style = "") {
    svg_ +=
        fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" {}>{}</text>\n", at, y, style, escaped(words));
  }
  /// The bars of a row in order; neighbours of one kind that are too narrow to be told apart are one.
  std::vector<TimelineBar> visible(const Timeline& timeline, int rank, int lane) const {
    std::vector<TimelineBar> row_bars, joined;
    for (const TimelineBar& b : timeline.bars)
      if (b.rank == rank && b.lane == lane) row_bars.push_back(b);
    std::stable_sort(row_bars.begin(), row_bars.end(),
                     [](const auto& a, const auto& b) { return a.start < b.start; });
    for (const TimelineBar& b : row_bars) {
      if (!joined.empty() && joined.back().kind == b.kind && x(b.end) - x(b.start) < 0.5 &&
          x(b.start) - x(joined.back().end) < 0.2)
        joined.back().end = std::max(joined.back().end, b.end);
      else
        joined.push_back(b);
    }
    return joined;
  }
  void draw(const TimelineBar& b) {
    const double from = x(b.start), to = x(b.end);
    if (to - from < 0.05) return;  // too short to be seen at any size
    svg_ += fmt::format(
        "<rect x=\"{:.2f}\" y=\"{:.1f}\" width=\"{:.2f}\" height=\"{}\" fill=\"{}\"{}>"
        "<title>{}{} {:.3g} {}</title></rect>\n",
        from, y_, to - from, bar, fill_of(b.kind),
        to - from > 3 ? " stroke=\"white\" stroke-width=\"0.4\"" : "", escaped(b.kind),
        b.micro_batch >= 0 ? " m" + std::to_string(b.micro_batch) : "",
        (b.end - b.start) * unit_.first, unit_.second);
    const std::string number = std::to_string(b.micro_batch);
    if (b.micro_batch >= 0 && to - from > 6.0 * static_cast<double>(number.size()) + 3)
      text((from + to) / 2, y_ + bar - 2.5, number,
           fmt::format("text-anchor=\"middle\" font-size=\"8\" class=\"on\" fill=\"{}\"",
                       ink_on(fill_of(b.kind))));
  }
  void axis(double top) {
    const double tick = tick_step(longest_, 10);
    for (int i = 0; i * tick <= longest_ * (1 + 1e-9); ++i) {
      svg_ += fmt::format(
          "<line x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:.1f}\" y2=\"{2:.1f}\" stroke=\"#888\" "
          "stroke-width=\"0.4\"/>\n",
          x(i * tick), top, y_ + 2);
      text(x(i * tick), y_ + 12, fmt::format("{:g} {}", i * tick * unit_.first, unit_.second),
           "text-anchor=\"middle\" fill=\"#444\"");
    }
    y_ += 20;
  }
  void legend() {
    double at = left;
    y_ += 8;
    for (const Colour& colour : colours) {
      if (kinds_.count(colour.kind) == 0) continue;
      const double length = 6.1 * static_cast<double>(std::string(colour.label).size()) + 24;
      if (at + length > left + width) at = left, y_ += row;
      svg_ +=
          fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"10\" height=\"10\" fill=\"{}\"/>\n",
                      at, y_, colour.fill);
      text(at + 14, y_ + 9, colour.label);
      at += length;
    }
    y_ += row;
  }

  const std::vector<std::string>& lanes_;
  std::set<std::pair<int, int>> rows_;  // (rank, lane)
  std::set<std::string> kinds_;
  double longest_ = 0, y_ = 0;
  std::pair<double, const char*> unit_{1, "s"};
  std::string svg_;
};

}  // namespace

std::string timeline_svg(const std::vector<Timeline>& timelines,
                         const std::vector<std::string>& lanes) {
  TimelineDrawing drawing(timelines, lanes);
  for (const Timeline& timeline : timelines) drawing.draw(timeline);
  return drawing.finish();
}

}  // namespace vlmark::report
