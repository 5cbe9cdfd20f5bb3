#pragma once

#include <memory>

#include "parallel/communicator.hpp"

namespace vlmark::parallel {

/// The group of one rank, without MPI. Collectives copy, split gives another group of one; a
/// message to oneself is copied at send, and a receive without a send is a CommError at wait()
/// instead of a hang. Books nothing in counters().
std::unique_ptr<Communicator> self_communicator();

}  // namespace vlmark::parallel
