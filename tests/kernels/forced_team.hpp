#pragma once

#include "kernels/team.hpp"

namespace vlmark::test {

/// Every team has `size` members while the object lives.
class ForcedTeam {
 public:
  explicit ForcedTeam(int size) : before_(kernels::forced_team_size) {
    kernels::forced_team_size = size;
  }
  ~ForcedTeam() { kernels::forced_team_size = before_; }
  ForcedTeam(const ForcedTeam&) = delete;
  ForcedTeam& operator=(const ForcedTeam&) = delete;

 private:
  int before_;
};

}  // namespace vlmark::test
