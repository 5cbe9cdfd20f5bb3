#include "bench/workload.hpp"

#include <map>

#include "src/base/bf16.hpp"
#include "src/base/error.hpp"

namespace vlmark::bench {
namespace {

template <class T>
const std::map<std::string, Workload (*)(const Call&)>& makers() {
  static const std::map<std::string, Workload (*)(const Call&)> all = {
      {"linear", product_workload<T>},
      {"add_linear", product_workload<T>},
      {"partial_linear", product_workload<T>},
      {"linear_backward_input", product_workload<T>},
      {"linear_backward_weight", product_workload<T>},
      {"head", product_workload<T>},
      {"head_backward_input", product_workload<T>},
      {"head_backward_weight", product_workload<T>},
      {"attention", attention_workload<T>},
      {"attention_cached", attention_workload<T>},
      {"attention_backward", attention_workload<T>},
      {"rms_norm", norm_workload<T>},
      {"rms_norm_backward", norm_workload<T>},
      {"layer_norm", norm_workload<T>},
      {"layer_norm_backward", norm_workload<T>},
      {"activation", activation_workload<T>},
      {"activation_backward", activation_workload<T>},
      {"swiglu", activation_workload<T>},
      {"swiglu_backward", activation_workload<T>},
      {"rotate", rotary_workload<T>},
      {"mrope_table", rotary_workload<T>},
      {"vision_rope_table", rotary_workload<T>},
      {"embedding", embedding_workload<T>},
      {"embedding_backward", embedding_workload<T>},
      {"gather_rows", rows_workload<T>},
      {"scatter_rows", rows_workload<T>},
      {"zero_rows", rows_workload<T>},
      {"zero", rows_workload<T>},
      {"convert", rows_workload<T>},
      {"bias_backward", sums_workload<T>},
      {"add_bias", sums_workload<T>},
      {"add_blocks", sums_workload<T>},
      {"sum_blocks", sums_workload<T>},
      {"linear_cross_entropy", head_workload<T>},
      {"softmax_slices", head_workload<T>},
      {"adamw", vector_workload<T>},
      {"adamw_rounded", vector_workload<T>},
      {"add_in_place", vector_workload<T>},
      {"add_in_place_rounded", vector_workload<T>},
      {"mean_of_rows", vector_workload<T>},
      {"convert_parameters", vector_workload<T>},
      {"block_square_sums", vector_workload<T>},
      {"count_non_finite", vector_workload<T>},
  };
  return all;
}

}  // namespace

Workload make_workload(const Call& call) {
  const auto& all = call.type == DType::bf16 ? makers<bf16>() : makers<float>();
  const auto found = all.find(call.kernel);
  if (found == all.end())
    throw ValueError("bench: '" + call.kernel +
                     "' has no workload (the recorder saw a kernel that is not timed). Add one to "
                     "bench/workload.cpp");
  return found->second(call);
}

}  // namespace vlmark::bench
