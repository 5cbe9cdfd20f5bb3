#pragma once

#include <vector>

#include "parallel/communicator.hpp"
#include "src/model/micro_batch.hpp"
#include "src/plan/shapes.hpp"

namespace vlmark::engine {

/// The shapes of a step's micro-batches as one rank knows them: from the index of the data, or from
/// the first stage of its pipeline. Entries are written in the pipeline lane, before anything that
/// the schedule lets read them.
class StageShapes {
 public:
  /// `most_rows`: of a message between stages, as planned. A rank that `learns` starts without the
  /// shapes of its own micro-batches, [begin, end).
  StageShapes(const std::vector<plan::MicroBatchShape>& index, long most_rows, int tensor_ranks,
              bool learns, int begin, int end);

  const plan::MicroBatchShape& operator[](int m) const {
    return shapes_[static_cast<std::size_t>(m)];
  }
  /// Rank 0 of `pipeline`, the ranks of one replica's stages, tells the others the shape of a
  /// micro-batch: the number of its lengths, then these. Throws ValueError where what arrives is no
  /// shape, ShapeError where it does not fit into the planned messages. Collective.
  void broadcast(parallel::Communicator& pipeline, int m);
  /// Throws ShapeError, with both, where this rank's own data is of another shape.
  void require_same(int m, const model::MicroBatch& batch) const;

 private:
  void require_fits(int m) const;

  std::vector<plan::MicroBatchShape> shapes_;
  long most_tokens_;
  bool learns_;
};

}  // namespace vlmark::engine
