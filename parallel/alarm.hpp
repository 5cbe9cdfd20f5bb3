#pragma once

#include <memory>

#include "parallel/communicator.hpp"

namespace vlmark::parallel {

/// One rank calls, all others hear it, whatever their other threads wait for.
class Alarm {
 public:
  virtual ~Alarm() = default;
  /// Returns at once. The call is not taken back.
  virtual void ring() = 0;
  /// Whether another rank has called.
  virtual bool rung() = 0;
};

/// Over all ranks of the job, where `world` is that and has more than one; else null. Collective.
std::unique_ptr<Alarm> make_alarm(const Communicator& world);

/// Prints `text` as a line of this rank on stderr, in one write.
void print_of_rank(const std::string& text);

}  // namespace vlmark::parallel
