#include "src/plan/schedule.hpp"

#include <set>

namespace vlmark::plan {

const char* name_of(ActionKind kind) {
  switch (kind) {
    case ActionKind::load:
      return "load";
    case ActionKind::forward:
      return "forward";
    case ActionKind::backward:
      return "backward";
    case ActionKind::join_gradients:
      return "join_gradients";
    case ActionKind::reduce_bucket:
      return "reduce_bucket";
    case ActionKind::global_norm:
      return "global_norm";
    case ActionKind::optimizer_slice:
      return "optimizer_slice";
    case ActionKind::gather_bucket:
      return "gather_bucket";
    case ActionKind::join_bucket:
      return "join_bucket";
    case ActionKind::square_sums:
      return "square_sums";
  }
  return "?";
}

const char* name_of(Lane lane) {
  switch (lane) {
    case Lane::compute:
      return "compute";
    case Lane::tensor:
      return "tensor";
    case Lane::pipeline:
      return "pipeline";
    case Lane::data:
      return "data";
  }
  return "?";
}

std::string to_string(BufferId buffer) {
  static constexpr const char* names[] = {"input", "activation", "gradient", "gradient_slice",
                                          "norm",  "parameters", "received", "square_sums"};
  return std::string(names[static_cast<int>(buffer.kind)]) + " " + std::to_string(buffer.index);
}

std::string to_string(const Action& action) {
  std::string text = name_of(action.kind);
  if (action.micro_batch >= 0) text += " m" + std::to_string(action.micro_batch);
  if (action.bucket >= 0) text += " b" + std::to_string(action.bucket);
  return text;
}

Schedule one_stage(int begin, int end, int buckets) {
  using B = BufferId::Kind;
  using Ids = std::vector<BufferId>;
  Ids parameters, gradients, slices;
  for (int b = 0; b < buckets; ++b) parameters.push_back({B::parameters, b});
  for (int b = 0; b < buckets; ++b) slices.push_back({B::gradient_slice, b});
  const auto with = [](Ids ids, BufferId last) {
    ids.push_back(last);
    return ids;
  };

  Schedule schedule;
  const auto of_micro_batch = [&](ActionKind kind, int m, Ids reads, Ids writes) {
    schedule.push_back({kind, Lane::compute, m, 0, -1, -1, std::move(reads), std::move(writes)});
  };
  const auto of_bucket = [&](ActionKind kind, Lane lane, int b, Ids reads, Ids writes) {
    schedule.push_back({kind, lane, -1, -1, b, -1, std::move(reads), std::move(writes)});
  };
  for (int m = begin; m < end; ++m) {
    const BufferId input{B::input, m}, activation{B::activation, m}, gradient{B::gradient, m};
    gradients.push_back(gradient);
    of_micro_batch(ActionKind::load, m, {}, {input});
    of_micro_batch(ActionKind::forward, m, with(parameters, input), {activation, gradient});
    of_micro_batch(ActionKind::backward, m, with(parameters, activation), {gradient});
    of_micro_batch(ActionKind::join_gradients, m, {gradient}, {gradient});
  }
  const BufferId received{B::received}, sums{B::square_sums}, norm{B::norm};
  for (int b = 0; b < buckets; ++b) {
    const BufferId slice{B::gradient_slice, b};
    of_bucket(ActionKind::reduce_bucket, Lane::data, b, gradients, {received, slice});
    of_bucket(ActionKind::join_bucket, Lane::compute, b, with(with(gradients, received), slice),
              {slice});
  }
  of_bucket(ActionKind::square_sums, Lane::compute, -1, slices, {sums});
  of_bucket(ActionKind::global_norm, Lane::data, -1, {sums}, {norm});
  for (int b = 0; b < buckets; ++b) {
    of_bucket(ActionKind::optimizer_slice, Lane::compute, b, {{B::gradient_slice, b}, norm},
              {{B::parameters, b}});
    of_bucket(ActionKind::gather_bucket, Lane::data, b, {{B::parameters, b}}, {{B::parameters, b}});
  }
  return schedule;
}

std::vector<std::string> check(const Schedule& schedule, int buckets) {
  std::vector<std::string> problems;
  std::set<BufferId> written;
  for (int b = 0; b < buckets; ++b) written.insert({BufferId::Kind::parameters, b});
  std::set<int> gathered;
  for (const Action& action : schedule) {
    for (const BufferId buffer : action.reads)
      if (!written.contains(buffer))
        problems.push_back(to_string(action) + " reads " + to_string(buffer) +
                           " before anything wrote it");
    written.insert(action.writes.begin(), action.writes.end());
    if (action.kind == ActionKind::optimizer_slice) gathered.erase(action.bucket);
    if (action.kind == ActionKind::gather_bucket) gathered.insert(action.bucket);
  }
  for (int b = 0; b < buckets; ++b)
    if (!gathered.contains(b))
      problems.push_back("bucket " + std::to_string(b) +
                         " is not gathered after its optimizer slice");
  return problems;
}

}  // namespace vlmark::plan
