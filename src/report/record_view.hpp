#pragma once

#include "src/io/record.hpp"
#include "src/report/shown_run.hpp"

namespace vlmark::report {

/// Fills what a record holds as it is: steps and phases of every rank, memory, work of the parts,
/// trace, provenance and configuration, noted checks, untimed steps. The record may be put together
/// from the journals of a run that did not end: lists of ranks may differ in length.
///
/// Memory traffic and rates of the machine are taken from values of the plan where it holds them:
/// `bytes.<part>` (byte of one step, all ranks), `machine.flops_per_s` and `machine.bytes_per_s` (of
/// one rank, measured); else they are absent.
void show_record(const io::Record& record, ShownRun& run);

/// "train.steps" -> "20" of the echo of a run description (config::to_toml).
std::map<std::string, std::string> config_keys(const std::string& toml);

}  // namespace vlmark::report
