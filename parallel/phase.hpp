#pragma once

#include <string>

namespace vlmark::parallel {

/// Names what this process is doing ("load", "train step 12"); error messages print it.
/// Thread-safe.
void set_phase(std::string name);
std::string phase();

/// Name of this machine.
std::string host_name();

}  // namespace vlmark::parallel
