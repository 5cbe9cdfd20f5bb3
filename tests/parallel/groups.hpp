#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "parallel/communicator.hpp"
#include "parallel/mpi_communicator.hpp"
#include "src/base/partition.hpp"
#include "tests/support/mpi_world.hpp"

namespace vlmark::parallel::test {

/// Every collective is tested over each of these groups.
enum class Group {
  world,
  pieces,    ///< world, but no message above 24 byte: all longer ones travel in pieces
  reversed,  ///< world with ranks in opposite order
  uneven,    ///< 8 ranks split 5 + 2 + 1, and so on
};

constexpr std::size_t kPieceBytes = 24;

inline std::unique_ptr<Communicator> make_group(Group group) {
  Communicator& world = vlmark::test::world();
  switch (group) {
    case Group::world:
      return mpi_world();
    case Group::pieces:
      return mpi_world(kPieceBytes);
    case Group::reversed:
      return world.split(0, -world.rank());
    case Group::uneven:
      return world.split(world.rank() < 5 ? 0 : world.rank() < 7 ? 1 : 2, 0);
  }
  return nullptr;
}

/// Empty, one, odd, larger than a piece; where messages stay whole, larger than an eager one.
inline std::vector<std::size_t> counts_for(Group group) {
  if (group == Group::pieces) return {0, 1, 3, 7, 101};
  return {0, 1, 3, 7, 1023, 40001};
}

class EveryGroup : public testing::TestWithParam<Group> {
 protected:
  const std::unique_ptr<Communicator> comm_ = make_group(GetParam());
  const int rank_ = comm_->rank();
  const int size_ = comm_->size();
  const std::vector<std::size_t> counts_ = counts_for(GetParam());
};

inline std::string name_of_group(const testing::TestParamInfo<Group>& info) {
  return std::vector<std::string>{"world", "pieces", "reversed",
                                  "uneven"}[static_cast<int>(info.param)];
}

inline const auto kEveryGroup =
    testing::Values(Group::world, Group::pieces, Group::reversed, Group::uneven);

}  // namespace vlmark::parallel::test
