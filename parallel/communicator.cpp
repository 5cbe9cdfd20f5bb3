#include "parallel/communicator.hpp"

#include "parallel/phase.hpp"

namespace vlmark::parallel {

std::string Communicator::host() const { return host_name(); }

}  // namespace vlmark::parallel
