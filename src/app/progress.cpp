#include "src/app/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "src/app/text.hpp"
#include "src/base/error.hpp"

namespace vlmark::app {

std::string progress_text(const train::Progress& p) {
  const int left = static_cast<int>(std::lround(p.seconds_left));
  return fmt::format("train  step {}/{}  loss {:#.3g}  lr {:.1e}  {} positions/s  {:02}:{:02} left",
                     p.step, p.steps, p.loss, p.learning_rate, with_commas(p.positions_per_s),
                     left / 60, left % 60);
}

ProgressStyle progress_style(const std::string& name) {
  if (name == "line") return ProgressStyle::line;
  if (name == "log") return ProgressStyle::log;
  if (name == "off") return ProgressStyle::off;
  if (name == "auto") return isatty(STDERR_FILENO) ? ProgressStyle::line : ProgressStyle::log;
  throw ConfigError("--progress: '" + name + "' is not known. Use auto, line, log or off");
}

void show(const train::Progress& progress, ProgressStyle style) {
  const std::string text = progress_text(progress);
  const bool last = progress.step == progress.steps;
  if (style == ProgressStyle::line) {
    // Erase to the end of the line: the text may have become shorter.
    std::fprintf(stderr, "\r%s\x1b[K%s", text.c_str(), last ? "\n" : "");
    std::fflush(stderr);
  } else if (style == ProgressStyle::log) {
    const int every = std::max(1, progress.steps / 10);
    if (last || progress.step == 1 || progress.step % every == 0)
      std::fprintf(stderr, "%s\n", text.c_str());
  }
}

}  // namespace vlmark::app
