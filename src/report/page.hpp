#pragma once

#include <string>
#include <vector>

#include "src/report/shown_run.hpp"

namespace vlmark::report {

/// A figure of a page, as a file of its own.
struct FigureFile {
  std::string name;  ///< "step-times-quickstart.svg"
  std::string svg;
};

/// The report as one HTML file: no script, no address, nothing that is loaded. All texts of the runs
/// are escaped. The same runs give the same bytes.
std::string report_page(const Report& report);

/// Every figure of the page.
std::vector<FigureFile> report_figures(const Report& report);

}  // namespace vlmark::report
