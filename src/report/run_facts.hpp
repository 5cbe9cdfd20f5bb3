#pragma once

#include "src/io/record.hpp"
#include "src/judge/judge.hpp"
#include "src/report/shown_run.hpp"

namespace vlmark::report {

/// Standing, figure of merit, checks and flags by the judge, and the rows of the comparison: R1's
/// rates, R13's statistics, set-up, system.
void show_judgement(const judge::Judgement& judgement, const io::Record& record, ShownRun& run);

/// What is known of a record without a verdict: ranks, steps, layout, times of verification.
void show_unjudged(const io::Record& record, ShownRun& run);

}  // namespace vlmark::report
