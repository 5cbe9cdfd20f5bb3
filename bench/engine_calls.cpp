#include <algorithm>

#include "bench/call.hpp"
#include "src/base/workspace.hpp"
#include "src/plan/parameters.hpp"

namespace vlmark::bench {
namespace {

/// Elements of one decoder layer as the first of `tensor_ranks` ranks holds it, at most `most`.
long layer_elements(const std::string& name, int tensor_ranks, long most) {
  plan::ModelConfig model = plan::model_preset(name);
  model.layers = 1;
  plan::Shard shard = plan::Shard::whole(model);
  shard.tensor_ranks = tensor_ranks;
  const plan::ParameterTable table(model, shard);
  long sum = 0;
  for (const plan::Parameter& p : table.parameters)
    if (p.group == plan::Group::decoder) sum += p.size();
  return std::min(sum, most);
}

}  // namespace

std::vector<Call> engine_calls(const std::string& model, int tensor_ranks, DType type,
                               const Work& work) {
  std::vector<Call> calls;
  const auto add = [&](const char* kernel, const char* layer, long m, long n, double flops,
                       double bytes) {
    Call c;
    c.kernel = kernel, c.layer = layer, c.model = model, c.tensor_ranks = tensor_ranks;
    c.type = c.result = type, c.m = m, c.n = n, c.recorded = false;
    c.flops = flops, c.bytes = bytes;
    calls.push_back(c);
  };
  const long n = layer_elements(model, tensor_ranks, work.optimizer);
  const double elements = static_cast<double>(n);
  const double size = static_cast<double>(size_of(type));
  if (type == DType::f32) {
    add("adamw", "optimizer", 1, n, 14 * elements, 28 * elements);
    add("add_in_place", "optimizer", 1, n, elements, 12 * elements);
    add("mean_of_rows", "optimizer", 4, n / 4, 2 * elements, 5 * elements);
  } else {
    add("adamw_rounded", "optimizer", 1, n, 14 * elements, 14 * elements);
    add("add_in_place_rounded", "optimizer", 1, n, elements, 6 * elements);
    add("convert_parameters", "optimizer", 1, n, 0, 6 * elements);
  }
  add("block_square_sums", "optimizer", 1, n, 2 * elements, size * elements);
  add("count_non_finite", "optimizer", 1, n, 0, size * elements);
  if (tensor_ranks > 1 && type == DType::f32) {
    const int vocab = work.tiny ? 260 : plan::model_preset(model).vocab,
              slice = vocab / tensor_ranks;
    const int tile = linear_cross_entropy_tile(work.text, slice);
    const double logits = static_cast<double>(tile) * slice;
    add("softmax_slices", "head", tile, slice, 4 * logits, 12 * logits);
  }
  return calls;
}

}  // namespace vlmark::bench
