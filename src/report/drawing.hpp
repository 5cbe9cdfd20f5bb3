#pragma once

#include <string>
#include <utility>
#include <vector>

#include "src/report/quantity.hpp"
#include "src/report/scale.hpp"

namespace vlmark::report {

/// A figure under construction: SVG elements in units of CSS pixels, coloured by the classes of
/// style.hpp alone so that light and dark need one drawing. Texts are escaped here.
class Drawing {
 public:
  explicit Drawing(double width) : width_(width) {}
  double width() const { return width_; }

  void line(double x1, double y1, double x2, double y2, const std::string& style);
  void rect(double x, double y, double width, double height, const std::string& style,
            const std::string& tooltip = "");
  void circle(double x, double y, double radius, const std::string& style,
              const std::string& tooltip = "");
  void path(const std::string& d, const std::string& style, const std::string& tooltip = "");
  /// `anchor`: start, middle or end.
  void text(double x, double y, const std::string& words, const char* anchor = "start",
            const std::string& style = "");
  /// Along the axis of y, turned by a quarter.
  void upright(double x, double y, const std::string& words);

  /// An axis below or left of the plot with its grid: numbers divided by the unit's factor, and the
  /// label with the unit's symbol. `across`: the plot's ends in the other direction.
  void axis_below(const Scale& x, double y, double top, const std::string& label,
                  const WrittenUnit& unit, int most = 6);
  void axis_left(const Scale& y, double x, double right, const std::string& label,
                 const WrittenUnit& unit, int most = 6);
  /// Swatches with words, wrapped to the width; returns the y below them.
  double legend(double x, double y,
                const std::vector<std::pair<std::string, std::string>>& entries);

  /// The whole element, without a namespace: HTML knows it, standalone() adds it.
  std::string finish(double height, const std::string& label) const;

 private:
  double width_;
  std::string svg_;
};

/// How wide a text of the figures is drawn, about.
double text_width(const std::string& words);
/// Cut to so many characters, with an ellipsis.
std::string shortened(const std::string& words, std::size_t most);

/// A figure of a page as a file of its own, with its colours and the namespace of SVG.
std::string standalone(const std::string& svg);

}  // namespace vlmark::report
