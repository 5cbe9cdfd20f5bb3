#include "src/engine/stage_shapes.hpp"

#include <algorithm>
#include <string>

#include "parallel/scalars.hpp"
#include "src/base/error.hpp"

namespace vlmark::engine {

StageShapes::StageShapes(const std::vector<plan::MicroBatchShape>& index, long most_rows,
                         int tensor_ranks, bool learns, int begin, int end)
    : shapes_(index), most_tokens_(most_rows * tensor_ranks), learns_(learns) {
  for (int m = begin; m < end; ++m)
    if (learns)
      shapes_[static_cast<std::size_t>(m)] = {};
    else
      require_fits(m);
}

void StageShapes::broadcast(parallel::Communicator& pipeline, int m) {
  std::vector<std::int64_t> lengths;
  if (!learns_) lengths = plan::lengths_of((*this)[m]);
  const auto count = parallel::broadcast_value(pipeline, static_cast<std::int64_t>(lengths.size()));
  // A sequence has a token, a medium has one for three of its numbers and itself.
  const std::int64_t most = 3 + 4 * most_tokens_;
  if (count < 0 || count > most)
    throw ShapeError("broadcast_lengths: micro-batch " + std::to_string(m) + " is announced with " +
                     std::to_string(count) + " lengths, but one of " +
                     std::to_string(most_tokens_) + " tokens, the most that was planned, has " +
                     std::to_string(most) + " at most. Plan with all steps of the run");
  lengths.resize(static_cast<std::size_t>(count));
  pipeline.broadcast(parallel::buffer(lengths), 0).wait();
  if (!learns_) return;
  shapes_[static_cast<std::size_t>(m)] = plan::shape_of_lengths(lengths);
  require_fits(m);
}

void StageShapes::require_fits(int m) const {
  const plan::MicroBatchShape& shape = (*this)[m];
  if (shape.tokens() <= most_tokens_) return;
  throw ShapeError("step: micro-batch " + std::to_string(m) + " has " +
                   std::to_string(shape.tokens()) + " tokens (" + to_string(shape) +
                   "), but memory is planned for " + std::to_string(most_tokens_) +
                   " (messages between stages would overflow). Plan with all steps of the run");
}

void StageShapes::require_same(int m, const model::MicroBatch& batch) const {
  const plan::MicroBatchShape& shape = (*this)[m];
  if (batch.shape == shape) return;
  throw ShapeError("load: micro-batch " + std::to_string(m) +
                   " is not of the planned shape: this " + "rank's data has '" +
                   to_string(batch.shape) + "' where " +
                   (learns_ ? "the first stage announces '" : "the index has '") +
                   to_string(shape) + "' (ranks would disagree about the step). " +
                   (learns_ ? "Give every stage the same data" : "Build the shard index anew"));
}

}  // namespace vlmark::engine
