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
  static constexpr const char* names[] = {"input",          "activation", "gradient",
                                          "gradient_slice", "norm",       "parameters"};
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
  std::vector<BufferId> parameters, gradients, slices;
  for (int b = 0; b < buckets; ++b) parameters.push_back({B::parameters, b});
  for (int b = 0; b < buckets; ++b) slices.push_back({B::gradient_slice, b});
  const auto with = [](std::vector<BufferId> ids, BufferId last) {
    ids.push_back(last);
    return ids;
  };

  Schedule schedule;
  for (int m = begin; m < end; ++m) {
    gradients.push_back({B::gradient, m});
    schedule.push_back({ActionKind::load, Lane::compute, m, 0, -1, -1, {}, {{B::input, m}}});
    schedule.push_back({ActionKind::forward,
                        Lane::compute,
                        m,
                        0,
                        -1,
                        -1,
                        with(parameters, {B::input, m}),
                        {{B::activation, m}, {B::gradient, m}}});
    schedule.push_back({ActionKind::backward,
                        Lane::compute,
                        m,
                        0,
                        -1,
                        -1,
                        with(parameters, {B::activation, m}),
                        {{B::gradient, m}}});
    schedule.push_back({ActionKind::join_gradients,
                        Lane::compute,
                        m,
                        0,
                        -1,
                        -1,
                        {{B::gradient, m}},
                        {{B::gradient, m}}});
  }
  for (int b = 0; b < buckets; ++b)
    schedule.push_back({ActionKind::reduce_bucket,
                        Lane::data,
                        -1,
                        -1,
                        b,
                        -1,
                        gradients,
                        {{B::gradient_slice, b}}});
  schedule.push_back({ActionKind::global_norm, Lane::data, -1, -1, -1, -1, slices, {{B::norm, 0}}});
  for (int b = 0; b < buckets; ++b) {
    schedule.push_back({ActionKind::optimizer_slice,
                        Lane::compute,
                        -1,
                        -1,
                        b,
                        -1,
                        {{B::gradient_slice, b}, {B::norm, 0}},
                        {{B::parameters, b}}});
    schedule.push_back({ActionKind::gather_bucket,
                        Lane::data,
                        -1,
                        -1,
                        b,
                        -1,
                        {{B::parameters, b}},
                        {{B::parameters, b}}});
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
