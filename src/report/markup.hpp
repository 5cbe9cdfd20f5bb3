#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vlmark::report {

/// Text for HTML and SVG, inside elements and quoted attributes: & < > " ' are escaped; bytes that
/// are no UTF-8 and control characters, which XML forbids, become U+FFFD.
std::string escaped(std::string_view text);

/// Only letters, digits, '-', '_' and '.', for file names and ids; never empty, never begins with '.'.
std::string plain_name(std::string_view text);

/// A table in a box of its own that scrolls sideways. Cells are HTML.
class Table {
 public:
  struct Cell {
    std::string html;
    const char* style = "";  ///< CSS class: "n" for numbers
    int columns = 1;
  };
  /// A row of headings; the first heads the column of labels.
  void heading(std::vector<Cell> cells);
  /// A heading over rows, as wide as the table.
  void group(const std::string& html);
  /// The first cell is the label of the row.
  void row(std::vector<Cell> cells, const char* style = "");
  bool empty() const { return body_.empty(); }
  /// `tall`: a long table, whose box scrolls up and down as well.
  std::string html(bool tall = false) const;

 private:
  std::string head_, body_;
  int columns_ = 1;
};

}  // namespace vlmark::report
