#include <algorithm>
#include <string>
#include <utility>

#include "src/base/error.hpp"
#include "src/plan/schedule_messages.hpp"
#include "src/plan/schedule_update.hpp"

namespace vlmark::plan {
namespace {

using Kind = BufferId::Kind;
using Ids = std::vector<BufferId>;

void require(bool holds, const std::string& problem) {
  if (!holds)
    throw ValueError("training_schedule: " + problem + ". Derive the shape from a layout without " +
                     "problems()");
}

void require_valid(const ScheduleShape& shape) {
  const auto text = [](long value) { return std::to_string(value); };
  require(shape.pipeline >= 1 && shape.pipeline_rank >= 0 && shape.pipeline_rank < shape.pipeline,
          "pipeline rank " + text(shape.pipeline_rank) + " of " + text(shape.pipeline));
  require(shape.chunks >= 1 && (shape.chunks == 1 || shape.pipeline > 1),
          text(shape.chunks) + " chunks on " + text(shape.pipeline) +
              " pipeline ranks (more than one chunk needs more than one rank)");
  require(shape.group == 0 || shape.group >= shape.pipeline,
          "a group of " + text(shape.group) + " on " + text(shape.pipeline) +
              " pipeline ranks (expected at least as many)");
  require(0 <= shape.begin && shape.begin <= shape.end,
          "micro-batches [" + text(shape.begin) + ", " + text(shape.end) + ")");
  require(
      static_cast<int>(shape.segments.size()) == shape.chunks &&
          std::all_of(shape.segments.begin(), shape.segments.end(), [](int n) { return n > 0; }),
      text(static_cast<long>(shape.segments.size())) + " numbers of segments for " +
          text(shape.chunks) + " chunks (expected one each, at least 1)");
  require(static_cast<int>(shape.buckets.size()) == shape.segment_count() &&
              std::all_of(shape.buckets.begin(), shape.buckets.end(), [](int n) { return n >= 0; }),
          text(static_cast<long>(shape.buckets.size())) + " numbers of buckets for " +
              text(shape.segment_count()) + " segments (expected one each, at least 0)");
  require(shape.embedding_segment >= 0 && shape.embedding_segment < shape.segments[0],
          "the embedding in segment " + text(shape.embedding_segment) + " of " +
              text(shape.segments[0]) + " of the first chunk");
  require(shape.slots >= 1 && shape.received >= 1 && shape.tensor_ranks >= 1,
          text(shape.slots) + " slots, " + text(shape.received) + " received buckets, " +
              text(shape.tensor_ranks) + " tensor ranks (expected at least 1 each)");
}

/// Writes the passes of one rank, segment by segment.
class PassWriter {
 public:
  PassWriter(const ScheduleShape& shape, Schedule& schedule, UpdateWriter& update)
      : shape_(shape),
        schedule_(schedule),
        update_(update),
        messages_(shape, schedule),
        order_(pass_order(shape)),
        last_segment_(shape.segment_count() - 1),
        owns_tied_(shape.shares_embedding() && shape.last_rank()),
        sends_rows_(shape.shares_embedding() && shape.first_rank()) {}

  void write() {
    expect_messages();
    messages_.begin();
    int backwards = 0;
    for (const ChunkPass& pass : order_) {
      if (!pass.backward) {
        forward(pass.micro_batch, pass.chunk);
        continue;
      }
      backward(pass.micro_batch, pass.chunk);
      while (next_rows_ < rows_.size() && rows_[next_rows_].due <= backwards) embedding_backward();
      ++backwards;
    }
    while (next_rows_ < rows_.size()) embedding_backward();
    messages_.end();
  }

 private:
  struct Rows {
    int micro_batch, due;  // after which backward
  };

  int place_of(int chunk) const { return chunk * shape_.pipeline + shape_.pipeline_rank; }
  bool opens(int chunk) const { return place_of(chunk) == 0; }
  bool closes(int chunk) const { return place_of(chunk) == shape_.chunks * shape_.pipeline - 1; }

  void expect_messages() {
    int backwards = 0;
    for (const auto& [is_backward, m, chunk] : order_) {
      const int micro_batch = shape_.begin + m;
      if (!is_backward) {
        if (!opens(chunk)) messages_.expect(Message::activation, micro_batch, chunk);
        continue;
      }
      if (!closes(chunk)) messages_.expect(Message::gradient, micro_batch, chunk);
      if (!opens(chunk)) ++gradients_left_;
      // The order of backwards is the same on all ranks: the first rank's chunk 0 is at the place
      // of this rank's.
      if (owns_tied_ && chunk == 0) {
        messages_.expect(Message::embedding_rows, micro_batch, shape_.chunks - 1);
        rows_.push_back({micro_batch, backwards + embedding_lag(shape_)});
      }
      ++backwards;
    }
  }

  /// Parameters a segment reads.
  void read_parameters(int segment, Ids& reads) const {
    const int first = shape_.first_bucket(segment);
    for (int b = 0; b < shape_.buckets[static_cast<std::size_t>(segment)]; ++b)
      reads.push_back({Kind::parameters, first + b});
  }
  /// The head of a model on one rank reads the embedding, and adds to its gradient.
  bool heads_tied(int segment) const {
    return shape_.tied && shape_.pipeline == 1 && segment == last_segment_ &&
           segment != shape_.embedding_segment;
  }

  Action& compute(ActionKind kind, int micro_batch, int chunk, int segment) {
    Action action{kind, Lane::compute, micro_batch, chunk};
    action.segment = segment;
    schedule_.push_back(std::move(action));
    return schedule_.back();
  }

  void forward(int m, int chunk) {
    const int micro_batch = shape_.begin + m, first = shape_.first_segment(chunk),
              last = first + shape_.segments[static_cast<std::size_t>(chunk)] - 1;
    const BufferId input{Kind::input, micro_batch};
    if (chunk == 0) {
      Action& load = compute(ActionKind::load, micro_batch, -1, -1);
      load.writes = {input};
      if (shape_.learns_shapes()) load.reads = {{Kind::lengths, micro_batch}};
    }
    BufferId stream{};
    if (!opens(chunk)) stream = messages_.receive(Message::activation);
    for (int s = first; s <= last; ++s) {
      Ids reads, writes{{Kind::activation, micro_batch, s}};
      read_parameters(s, reads);
      reads.push_back(input);
      if (s > first || !opens(chunk)) reads.push_back(stream);
      if (sends_rows_ && s == shape_.embedding_segment) {
        update_.need_embedding();
        reads.push_back({Kind::embedding_copy});
      }
      if (heads_tied(s)) {
        read_parameters(shape_.embedding_segment, reads);
        writes.push_back({Kind::gradient, micro_batch, shape_.embedding_segment});
      }
      if (s < last)
        stream = {Kind::stream, micro_batch, s};
      else if (closes(chunk))  // the fused loss forms the gradient of the head
        stream = {Kind::gradient, micro_batch, s};
      else
        stream = messages_.reserve(Message::activation);
      writes.push_back(stream);
      Action& action = compute(ActionKind::forward, micro_batch, chunk, s);
      action.reads = std::move(reads);
      action.writes = std::move(writes);
      if (s == first && !opens(chunk)) messages_.consumed(Message::activation);
    }
    if (!closes(chunk)) messages_.send(Message::activation, micro_batch, chunk);
  }

  void backward(int m, int chunk) {
    const int micro_batch = shape_.begin + m, first = shape_.first_segment(chunk),
              last = first + shape_.segments[static_cast<std::size_t>(chunk)] - 1;
    BufferId stream{};
    if (!closes(chunk)) stream = messages_.receive(Message::gradient);
    for (int s = last; s >= first; --s) {
      Ids reads, writes{{Kind::gradient, micro_batch, s}};
      read_parameters(s, reads);
      reads.push_back({Kind::input, micro_batch});
      reads.push_back({Kind::activation, micro_batch, s});
      if (s < last || !closes(chunk)) reads.push_back(stream);
      const bool rows = sends_rows_ && s == shape_.embedding_segment;
      if (rows) writes.push_back(messages_.reserve(Message::embedding_rows));
      if (s > first)
        writes.push_back(stream = {Kind::stream_gradient, micro_batch, s});
      else if (!opens(chunk))
        writes.push_back(messages_.reserve(Message::gradient));
      Action& action = compute(ActionKind::backward, micro_batch, chunk, s);
      action.reads = std::move(reads);
      action.writes = std::move(writes);
      if (s == last && !closes(chunk)) messages_.consumed(Message::gradient);
      if (rows) messages_.send(Message::embedding_rows, micro_batch, chunk);
      if (s == first && !opens(chunk)) {
        messages_.send(Message::gradient, micro_batch, chunk);
        --gradients_left_;
      }
      if (!(owns_tied_ && s == last_segment_)) join(micro_batch, chunk, s);
    }
  }

  void embedding_backward() {
    const int micro_batch = rows_[next_rows_++].micro_batch, chunk = shape_.chunks - 1;
    const BufferId rows = messages_.receive(Message::embedding_rows),
                   gradient{Kind::gradient, micro_batch, last_segment_};
    Action& action = compute(ActionKind::embedding_backward, micro_batch, chunk, last_segment_);
    action.reads = {{Kind::input, micro_batch}, rows, gradient};
    action.writes = {gradient};
    messages_.consumed(Message::embedding_rows);
    join(micro_batch, chunk, last_segment_);
  }

  void join(int micro_batch, int chunk, int segment) {
    const BufferId gradient{Kind::gradient, micro_batch, segment};
    Action& action = compute(ActionKind::join_gradients, micro_batch, chunk, segment);
    action.reads = action.writes = {gradient};
    if (micro_batch == shape_.end - 1) update_.segment_ready(segment, gradients_left_ > 0);
  }

  const ScheduleShape& shape_;
  Schedule& schedule_;
  UpdateWriter& update_;
  MessageWriter messages_;
  std::vector<ChunkPass> order_;
  int last_segment_;
  bool owns_tied_, sends_rows_;
  int gradients_left_ = 0;  // still to be sent
  std::vector<Rows> rows_;
  std::size_t next_rows_ = 0;
};

void broadcast_lengths(const ScheduleShape& shape, Schedule& schedule) {
  if (!shape.broadcasts_shapes()) return;
  for (int m = shape.begin; m < shape.end; ++m) {
    schedule.push_back({ActionKind::broadcast_lengths, Lane::pipeline, m});
    if (shape.learns_shapes()) schedule.back().writes = {{Kind::lengths, m}};
  }
}

}  // namespace

Schedule training_schedule(const ScheduleShape& shape) {
  require_valid(shape);
  Schedule schedule;
  broadcast_lengths(shape, schedule);
  UpdateWriter update(shape, schedule);
  if (shape.overlap.gather) update.gather_first();
  PassWriter(shape, schedule, update).write();
  update.write();
  return schedule;
}

Schedule gather_schedule(const ScheduleShape& shape) {
  require_valid(shape);
  Schedule schedule;
  UpdateWriter update(shape, schedule);
  update.average();
  update.gather_first();
  update.need_embedding();
  update.finish_embedding();
  return schedule;
}

}  // namespace vlmark::plan
