#include <fmt/format.h>

#include "src/app/commands.hpp"
#include "src/base/error.hpp"
#include "src/io/file.hpp"
#include "src/report/page.hpp"
#include "src/report/read_run.hpp"

namespace vlmark::app {
namespace {

namespace fs = std::filesystem;

void write_figures(const report::Report& report, const fs::path& folder) {
  std::error_code failure;
  fs::create_directories(folder, failure);
  if (failure)
    throw IoError("--figures: " + folder.string() + " cannot be made: " + failure.message() +
                  " (it holds the figures). Choose a folder that can be written to");
  const std::vector<report::FigureFile> figures = report::report_figures(report);
  for (const report::FigureFile& figure : figures)
    io::write_text_file(folder / figure.name, figure.svg);
  fmt::print("figures: {} in {}\n", figures.size(), folder.string());
}

}  // namespace

int report_command(const ReportOptions& options) {
  const report::Report report =
      report::read_report({options.folders.begin(), options.folders.end()});
  io::write_text_file(options.out, report::report_page(report));
  for (const report::ShownRun& run : report.runs)
    fmt::print("{}: {}\n", run.name, name_of(run.standing));
  fmt::print("report: {}\n", options.out);
  if (!options.figures.empty()) write_figures(report, options.figures);
  return static_cast<int>(ExitCode::ok);
}

}  // namespace vlmark::app
