#include <fmt/format.h>

#include "src/app/commands.hpp"
#include "src/base/error.hpp"
#include "src/io/file.hpp"
#include "src/io/results_folder.hpp"
#include "src/report/page.hpp"
#include "src/report/read_run.hpp"

namespace vlmark::app {
namespace {

namespace fs = std::filesystem;

/// A sealed folder must stay as its run left it.
void require_outside_records(const char* option, const std::string& file) {
  for (fs::path folder = fs::absolute(file).lexically_normal(); folder.has_relative_path();
       folder = folder.parent_path())
    if (fs::exists(io::record_path(folder)))
      throw ConfigError(fmt::format(
          "{}: {} lies in {}, the results of a run (its seal would break: `vlmark verify` finds "
          "every file that was not there). Choose another folder",
          option, file, folder.string()));
}

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
  require_outside_records("--out", options.out);
  if (!options.figures.empty()) require_outside_records("--figures", options.figures);
  const report::Report report =
      report::read_report({options.folders.begin(), options.folders.end()});
  io::write_text_file(options.out, report::report_page(report));
  for (const report::ShownRun& run : report.runs)
    fmt::print("{}: {}\n", run.name, name_of(run.standing));
  for (const report::ShownBench& bench : report.benches)
    fmt::print("{}: {} cases timed, {} failed, {} skipped\n", bench.name,
               bench.kernels.size() + bench.collectives.size(), bench.failed(),
               bench.untimed.size() - static_cast<std::size_t>(bench.failed()));
  fmt::print("report: {}\n", options.out);
  if (!options.figures.empty()) write_figures(report, options.figures);
  return static_cast<int>(ExitCode::ok);
}

}  // namespace vlmark::app
