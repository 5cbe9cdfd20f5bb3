#include "kernels/attention_cudnn_graph.hpp"

#include <cudnn_frontend.h>

#include <functional>
#include <unordered_map>
#include <vector>

#include "src/base/error.hpp"

namespace vlmark::kernels {
namespace {

namespace fe = cudnn_frontend;
using Attributes = fe::graph::Tensor_attributes;
using Tensor = std::shared_ptr<Attributes>;

void require_good(fe::error_t status, const char* step, const CudnnAttention& attention) {
  if (status.is_good()) return;
  throw DeviceError("attention by cuDNN " + cudnn_version() + ": " + step + " of " +
                    describe(attention) + " failed with status " +
                    std::to_string(static_cast<int>(status.get_code())) +
                    " (wanted 0): " + status.get_message() +
                    " (the pass cannot run on cuDNN). Choose the own attention kernel");
}

}  // namespace

class CudnnGraph::Graph : public fe::graph::Graph {
 public:
  explicit Graph(const CudnnAttention& attention, const CudnnDeviceDescription* device = nullptr)
      : a_(attention) {
    set_io_data_type(fe::DataType_t::BFLOAT16).set_compute_data_type(fe::DataType_t::FLOAT);
    set_intermediate_data_type(fe::DataType_t::FLOAT);
    // Before the first node: nodes copy these, and without them validate() asks for a device.
    if (device) set_sm_version(device->sm_version).set_sm_count(device->multiprocessors);
    using enum CudnnTensor;
    lengths_ = index(lengths, "lengths", fe::DataType_t::INT32, a_.size.segments);
    const Tensor qkv = offsets(qkv_offset, "qkv_offset"), q_rows = offsets(q_offset, "q_offset"),
                 statistics = offsets(log_sum_offset, "log_sum_offset");
    const int heads = a_.size.heads, kv_heads = a_.size.kv_heads;
    const Tensor q_in = input(q, "q", heads, a_.qkv_row, qkv),
                 k_in = input(k, "k", kv_heads, a_.qkv_row, qkv),
                 v_in = input(v, "v", kv_heads, a_.qkv_row, qkv);
    const std::int64_t q_row = std::int64_t{heads} * a_.size.head_dim;
    if (a_.pass == AttentionPass::forward) {
      fe::graph::SDPA_attributes options;
      auto [o, stats] = sdpa(q_in, k_in, v_in, common(options.set_generate_stats(true)));
      shape(o->set_output(true), out, heads, q_row, q_rows);
      shape_log_sum(stats->set_output(true), statistics);
      return;
    }
    const std::int64_t kv_row = std::int64_t{kv_heads} * a_.size.head_dim;
    const Tensor kv_rows = offsets(kv_offset, "kv_offset");
    const Tensor o = input(out, "out", heads, q_row, q_rows),
                 d_o = input(d_out, "d_out", heads, q_row, q_rows);
    Attributes stats;
    shape_log_sum(stats.set_name("log_sum"), statistics);
    fe::graph::SDPA_backward_attributes options;
    options.set_deterministic_algorithm(a_.deterministic)
        .set_max_total_seq_len_q(a_.size.tokens)
        .set_max_total_seq_len_kv(a_.size.tokens);
    auto [dq, dk, dv] = sdpa_backward(q_in, k_in, v_in, o, d_o, tensor(stats), common(options));
    shape(dq->set_output(true), d_q, heads, q_row, q_rows);
    shape(dk->set_output(true), d_k, kv_heads, kv_row, kv_rows);
    shape(dv->set_output(true), d_v, kv_heads, kv_row, kv_rows);
  }

  /// First supported engine and its workspace, from its mere configuration: a finished plan tells
  /// it too, but finishing loads kernels into a driver. A configuration refused as too large names
  /// its size.
  CudnnPlan choose() {
    std::int64_t i = 0;  // there is one: check_support() passed
    while (plans.check_support_at_index(i).is_bad()) ++i;
    deselect_workspace_greater_than(-1);
    const std::string refusal = plans.check_support_at_index(i).get_message();
    const std::string before = "Requires ";
    const auto at = refusal.rfind(before);
    if (at == std::string::npos)
      throw DeviceError("attention by cuDNN: no workspace in '" + refusal + "' (expected '" +
                        before +
                        "N'). Use the version of cudnn-frontend that scripts/bootstrap fetches");
    CudnnPlan plan;
    plan.workspace_bytes =
        std::stoll(refusal.substr(at + before.size())) + get_fe_workspace_size_subtree();
    require_good(get_plan_name_at_index(i, plan.engine), "plan name", a_);
    return plan;
  }

  void plan(cudnnHandle_t handle) {
    require_good(validate(), "validate", a_);
    require_good(build_operation_graph(handle), "operation graph", a_);
    require_good(create_execution_plans({fe::HeurMode_t::A}), "heuristics", a_);
    require_good(check_support(), "support", a_);
  }

  const CudnnAttention& attention() const { return a_; }

 private:
  static std::int64_t uid(CudnnTensor t) { return static_cast<std::int64_t>(t) + 1; }

  // [tokens, heads, head_dim], a segment at a time.
  void shape(Attributes& t, CudnnTensor name, std::int64_t heads, std::int64_t row,
             const Tensor& offset) {
    const std::int64_t dim = a_.size.head_dim;
    t.set_uid(uid(name)).set_dim({a_.size.segments, heads, a_.size.longest, dim});
    t.set_stride({a_.size.longest * row, dim, row, 1}).set_ragged_offset(offset);
  }
  // [tokens, heads] fp32, as the own kernel keeps it.
  void shape_log_sum(Attributes& t, const Tensor& offset) {
    const std::int64_t heads = a_.size.heads;
    t.set_uid(uid(CudnnTensor::log_sum)).set_dim({a_.size.segments, heads, a_.size.longest, 1});
    t.set_stride({heads * a_.size.longest, 1, heads, 1}).set_data_type(fe::DataType_t::FLOAT);
    t.set_ragged_offset(offset);
  }
  Tensor input(CudnnTensor which, const char* name, std::int64_t heads, std::int64_t row,
               const Tensor& offset) {
    Attributes t;
    shape(t.set_name(name), which, heads, row, offset);
    return tensor(t);
  }
  Tensor index(CudnnTensor which, const char* name, fe::DataType_t type, std::int64_t count) {
    auto t = Attributes().set_name(name).set_uid(uid(which)).set_dim({count, 1, 1, 1});
    return tensor(t.set_stride({1, 1, 1, 1}).set_data_type(type));
  }
  Tensor offsets(CudnnTensor which, const char* name) {
    return index(which, name, fe::DataType_t::INT64, a_.size.segments + 1);
  }
  template <class Options>
  Options& common(Options& options) {
    options.set_name("sdpa").set_attn_scale(a_.scale);
    if (a_.causal)
      options.set_diagonal_alignment(fe::DiagonalAlignment_t::TOP_LEFT)
          .set_diagonal_band_right_bound(0);
    options.set_padding_mask(true).set_seq_len_q(lengths_).set_seq_len_kv(lengths_);
    return options;
  }

  const CudnnAttention a_;
  Tensor lengths_;
};

CudnnGraph::CudnnGraph(const CudnnAttention& attention)
    : graph_(std::make_unique<Graph>(attention)) {}
CudnnGraph::~CudnnGraph() = default;
CudnnGraph::CudnnGraph(CudnnGraph&&) noexcept = default;

CudnnPlan CudnnGraph::build(void* handle) {
  const CudnnAttention& a = graph_->attention();
  graph_->plan(static_cast<cudnnHandle_t>(handle));
  require_good(graph_->build_plans(), "build", a);
  CudnnPlan plan;
  require_good(graph_->get_workspace_size(plan.workspace_bytes), "workspace size", a);
  require_good(graph_->get_plan_name(plan.engine), "plan name", a);
  return plan;
}

void CudnnGraph::execute(void* handle, const CudnnPointers& tensors, void* workspace) {
  std::unordered_map<std::int64_t, void*> pointers;
  for (int t = 0; t < kCudnnTensors; ++t)
    if (void* at = tensors[static_cast<std::size_t>(t)]) pointers[t + 1] = at;
  require_good(graph_->execute(static_cast<cudnnHandle_t>(handle), pointers, workspace), "execute",
               graph_->attention());
}

CudnnPlan plan_without_device(const CudnnAttention& attention,
                              const CudnnDeviceDescription& device) {
  std::vector<std::uint8_t> json(device.json.begin(), device.json.end());
  json.push_back(0);
  const auto properties = std::make_shared<fe::DeviceProperties>();
  require_good(properties->deserialize(json), "reading the device's description", attention);
  CudnnGraph::Graph graph(attention, &device);
  graph.set_device_properties(properties);
  graph.plan(nullptr);
  return graph.choose();
}

std::string describe(const CudnnAttention& a) {
  const auto text = [](auto value) { return std::to_string(value); };
  return std::string(a.pass == AttentionPass::forward ? "forward" : "backward") +
         (a.pass == AttentionPass::backward && a.deterministic ? " deterministic " : " ") +
         text(a.size.heads) + "/" + text(a.size.kv_heads) + "x" + text(a.size.head_dim) +
         (a.causal ? " causal" : " full") + ", " + text(a.size.segments) + " segments up to " +
         text(a.size.longest) + ", " + text(a.size.tokens) + " tokens";
}

std::string cudnn_version() {
  const std::size_t version = cudnnGetVersion();  // 91900: 9.19.0
  return std::to_string(version / 10000) + "." + std::to_string(version / 100 % 100) + "." +
         std::to_string(version % 100);
}

}  // namespace vlmark::kernels
