#pragma once

#include <string>

namespace vlmark::parallel {

/// Names what this process is doing ("load", "train step 12"); error messages print it.
/// Thread-safe.
void set_phase(std::string name);
std::string phase();

/// The number that lines of this process on stderr call it by; the launcher's until it is set.
void set_rank(int rank);
int rank_or(int of_launcher);

/// Name of this machine.
std::string host_name();

}  // namespace vlmark::parallel
