#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "src/base/cudnn_attention.hpp"

// cuDNN's attention graphs behind plain types, on a device or planned without one. The one unit
// that includes cudnn-frontend.

namespace vlmark::kernels {

/// One graph: everything that its plan depends on. Rows of q, k and v may be blocks of columns of
/// one matrix; all else is dense (cudnn_scratch tells why).
struct CudnnAttention {
  CudnnAttentionSize size;
  AttentionPass pass = AttentionPass::forward;
  bool causal = false;
  bool deterministic = true;  ///< backward: the same bits in every run
  float scale = 1;
  std::int64_t qkv_row = 0;  ///< distance of rows of q, k and v in elements
  auto operator<=>(const CudnnAttention&) const = default;
};

/// Tensors of a graph; offsets are running sums of lengths times the row, in elements.
///
/// | name                 | type, shape               | meaning                                   |
/// |----------------------|---------------------------|-------------------------------------------|
/// | q                    | bf16 [tokens, heads, dim] | rows qkv_row apart                        |
/// | k, v                 | bf16 [tokens, kv_heads, dim] | rows qkv_row apart                     |
/// | out, d_out, d_q      | bf16 [tokens, heads, dim] | dense                                     |
/// | d_k, d_v             | bf16 [tokens, kv_heads, dim] | dense                                  |
/// | log_sum              | fp32 [tokens, heads]      | log sum exp of scaled scores, natural     |
/// | lengths              | i32 [segments]            |                                           |
/// | qkv_offset           | i64 [segments + 1]        | of q, k, v                                |
/// | q_offset             | i64 [segments + 1]        | of out, d_out, d_q                        |
/// | kv_offset            | i64 [segments + 1]        | of d_k, d_v; backward only                |
/// | log_sum_offset       | i64 [segments + 1]        |                                           |
enum class CudnnTensor : std::uint8_t {
  q,
  k,
  v,
  out,
  log_sum,
  d_out,
  d_q,
  d_k,
  d_v,
  lengths,
  qkv_offset,
  q_offset,
  kv_offset,
  log_sum_offset
};
inline constexpr int kCudnnTensors = 14;
/// Device addresses by CudnnTensor; null where the pass has no such tensor.
using CudnnPointers = std::array<void*, kCudnnTensors>;

/// A plan: which engine of cuDNN runs, and the scratch it wants.
struct CudnnPlan {
  std::string engine;
  std::int64_t workspace_bytes = 0;
};

/// A device described by text (the JSON of cudnn-frontend's DeviceProperties), for planning on a
/// machine without it.
struct CudnnDeviceDescription {
  std::string json;
  int sm_version = 90;
  int multiprocessors = 132;
};

class CudnnGraph {
 public:
  /// Throws DeviceError where the front end refuses the graph (text and status as it gives them).
  explicit CudnnGraph(const CudnnAttention& attention);
  ~CudnnGraph();
  CudnnGraph(CudnnGraph&&) noexcept;

  /// Builds the plan for the device of `handle` (cudnnHandle_t). The engine is the first supported
  /// one of heuristics A, the same for one library and device. Throws DeviceError.
  CudnnPlan build(void* handle);
  /// Puts the pass on the stream of `handle`. Throws DeviceError.
  void execute(void* handle, const CudnnPointers& tensors, void* workspace);

 private:
  class Graph;
  friend CudnnPlan plan_without_device(const CudnnAttention&, const CudnnDeviceDescription&);
  std::unique_ptr<Graph> graph_;
};

/// The plan for a device that is not there: graph accepted, engine chosen, workspace known; nothing
/// is compiled or run. Needs a libcuda.so.1 in the loader's path, for which the toolkit's stub will
/// do. Throws DeviceError.
CudnnPlan plan_without_device(const CudnnAttention& attention,
                              const CudnnDeviceDescription& device);

/// "backward deterministic 28/4x128 causal, 2 segments up to 4096, 8192 tokens"
std::string describe(const CudnnAttention& attention);

/// "9.19.0"
std::string cudnn_version();

}  // namespace vlmark::kernels
