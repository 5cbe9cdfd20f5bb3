#pragma once

#include <string>
#include <vector>

#include "parallel/communicator.hpp"
#include "parallel/placement.hpp"
#include "src/config/run_config.hpp"
#include "src/io/journal_records.hpp"
#include "src/io/record.hpp"

namespace vlmark::app {

/// Texts of the record that say what ran where: the echo of the run description, build, processor,
/// ranks, hosts, where each rank runs and the machine's topology. An allow-list: nothing else of the
/// environment is written. Collective.
std::vector<io::Text> provenance(const config::RunConfig& config,
                                 const parallel::Placement& placement,
                                 parallel::Communicator& comm);

/// Names of actions and lanes and the times of the record.
io::RecordHeader record_header(const std::string& started);

}  // namespace vlmark::app
