#pragma once

#include <string>

#include "src/train/trainer.hpp"

namespace vlmark::app {

/// `train  step 84/150  loss 0.212  lr 8.1e-04  1,930 positions/s  00:41 left`
std::string progress_text(const train::Progress& progress);

/// Where progress goes: one line rewritten in place, a line now and then, or nowhere.
enum class ProgressStyle { line, log, off };
/// "auto" is `line` where stderr is a terminal, else `log`. Throws ConfigError.
ProgressStyle progress_style(const std::string& name);

/// Shows a step on stderr in the given style.
void show(const train::Progress& progress, ProgressStyle style);

}  // namespace vlmark::app
