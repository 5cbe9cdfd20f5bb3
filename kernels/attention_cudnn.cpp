#include "kernels/attention_cudnn.hpp"

#include <cuda_runtime_api.h>
#include <cudnn.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>

#include "kernels/attention_cudnn_graph.hpp"
#include "kernels/cuda_check.hpp"
#include "kernels/reference/attention_admission.hpp"
#include "src/base/error.hpp"

namespace vlmark::kernels {
namespace {

// Bounds keep the plans of a run few; each holds compiled kernels.
constexpr std::size_t kMaxPlans = 256;
constexpr int kShortest = 2;  // rows of a segment

void require_cudnn(cudnnStatus_t code, const char* call) {
  if (code == CUDNN_STATUS_SUCCESS) return;
  throw DeviceError(std::string("attention by cuDNN ") + cudnn_version() + ": " + call +
                    " failed with status " + std::to_string(static_cast<int>(code)) +
                    " (wanted 0): " + cudnnGetErrorString(code) +
                    " (no plan can be built). Look at the driver with nvidia-smi, or choose the "
                    "own attention kernel");
}

struct Entry {
  std::unique_ptr<CudnnGraph> graph;
  CudnnPlan plan;
  std::string refusal;  // empty: admitted
};

struct Library {
  std::mutex mutex;
  cudnnHandle_t handle = nullptr;
  int multiprocessors = 0;
  std::map<CudnnAttention, Entry> plans;
  std::vector<std::string> refusals;

  Library() {
    int device = 0;
    require_cuda(cudaGetDevice(&device), "attention by cuDNN: cudaGetDevice");
    require_cuda(cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, device),
                 "attention by cuDNN: cudaDeviceGetAttribute");
    require_cudnn(cudnnCreate(&handle), "cudnnCreate");
  }

  std::string refuse(const std::string& why) {
    if (std::find(refusals.begin(), refusals.end(), why) == refusals.end()) refusals.push_back(why);
    return {};
  }
};

Library& library() {
  // Never destroyed: the driver may be gone before static objects are.
  static auto* instance = new Library;
  return *instance;
}

/// One pass under a graph of its bounds.
struct Launch {
  const CudnnCall& call;
  CudnnAttention attention;
  CudnnScratch scratch;

  Launch(const CudnnCall& c, AttentionPass pass, int multiprocessors) : call(c) {
    attention.size = cudnn_bounded({c.heads, c.kv_heads, c.head_dim}, c.cu_seqlens);
    attention.pass = pass;
    attention.causal = c.causal;
    attention.deterministic = pass == AttentionPass::backward && c.deterministic;
    attention.scale = c.scale;
    attention.qkv_row = c.qkv_row;
    scratch =
        cudnn_scratch(attention.size, pass, c.causal, attention.deterministic, multiprocessors);
  }

  template <class T>
  T* at(std::int64_t offset) const {
    return reinterpret_cast<T*>(static_cast<std::byte*>(call.scratch) + offset);
  }

  /// Index arrays of `cu` into the scratch, and their addresses.
  void upload(std::span<const int> cu, CudnnPointers& pointers) const {
    std::vector<std::byte> host(static_cast<std::size_t>(
        attention.pass == AttentionPass::backward ? scratch.d_q : scratch.workspace));
    const auto fill = [&](std::int64_t offset, std::int64_t row) {
      auto* to = reinterpret_cast<std::int64_t*>(host.data() + offset);
      for (const int first : cu) *to++ = first * row;
    };
    auto* lengths = reinterpret_cast<int*>(host.data() + scratch.lengths);
    for (std::size_t s = 1; s < cu.size(); ++s) *lengths++ = cu[s] - cu[s - 1];
    fill(scratch.qkv_offset, attention.qkv_row);
    fill(scratch.q_offset, attention.size.q_width());
    fill(scratch.kv_offset, attention.size.kv_width());
    fill(scratch.log_sum_offset, attention.size.heads);
    // From pageable memory: the call returns once `host` has been read, without waiting for the
    // stream.
    require_cuda(cudaMemcpyAsync(call.scratch, host.data(), host.size(), cudaMemcpyHostToDevice,
                                 static_cast<cudaStream_t>(call.stream)),
                 "attention by cuDNN: copying index arrays");
    const auto set = [&](CudnnTensor t, std::int64_t offset) {
      pointers[static_cast<std::size_t>(t)] = at<void>(offset);
    };
    set(CudnnTensor::lengths, scratch.lengths);
    set(CudnnTensor::qkv_offset, scratch.qkv_offset);
    set(CudnnTensor::q_offset, scratch.q_offset);
    set(CudnnTensor::log_sum_offset, scratch.log_sum_offset);
    if (attention.pass == AttentionPass::forward) return;
    set(CudnnTensor::kv_offset, scratch.kv_offset);
    set(CudnnTensor::d_q, scratch.d_q);
    set(CudnnTensor::d_k, scratch.d_k);
    set(CudnnTensor::d_v, scratch.d_v);
  }

  void run(Entry& entry, std::span<const int> cu, CudnnPointers pointers) const {
    upload(cu, pointers);
    entry.graph->execute(library().handle, pointers, at<void>(scratch.workspace));
  }
};

void*& slot(CudnnPointers& pointers, CudnnTensor t) {
  return pointers[static_cast<std::size_t>(t)];
}

void* writable(const void* p) { return const_cast<void*>(p); }

/// Device memory for the length of a self-test.
class Held {
 public:
  explicit Held(std::size_t bytes) : bytes_(bytes) {
    require_cuda(cudaMalloc(&data_, bytes), "attention by cuDNN: cudaMalloc of the self-test");
  }
  template <class T>
  explicit Held(const std::vector<T>& values) : Held(values.size() * sizeof(T)) {
    require_cuda(cudaMemcpy(data_, values.data(), bytes_, cudaMemcpyHostToDevice),
                 "attention by cuDNN: copying the self-test");
  }
  ~Held() { cudaFree(data_); }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

  void* data() const { return data_; }
  void guard() const {
    require_cuda(cudaMemset(data_, reference::kGuardByte, bytes_),
                 "attention by cuDNN: cudaMemset");
  }
  template <class T>
  void read(std::vector<T>& to) const {
    to.resize(bytes_ / sizeof(T));
    require_cuda(cudaMemcpy(to.data(), data_, bytes_, cudaMemcpyDeviceToHost),
                 "attention by cuDNN: reading the self-test");
  }

 private:
  void* data_ = nullptr;
  std::size_t bytes_;
};

/// q, k and v of the case as blocks of columns of rows `row` apart, as the plan has them.
std::vector<bf16> packed_rows(const reference::AdmissionCase& c, std::int64_t row,
                              const CudnnAttentionSize& size) {
  std::vector<bf16> rows(static_cast<std::size_t>(c.tokens() * row));
  std::int64_t column = 0;
  const auto put = [&](const std::vector<bf16>& from, std::int64_t width) {
    for (std::int64_t t = 0; t < c.tokens(); ++t)
      std::copy_n(from.begin() + t * width, width, rows.begin() + t * row + column);
    column += width;
  };
  put(c.q, size.q_width());
  put(c.k, size.kv_width());
  put(c.v, size.kv_width());
  return rows;
}

/// Runs the plan on a small random case. Empty: admitted.
std::string self_test(const Launch& launch, Entry& entry) {
  const CudnnAttentionSize& size = launch.attention.size;
  const bool backward = launch.attention.pass == AttentionPass::backward;
  const std::int64_t q_width = size.q_width(), kv_width = size.kv_width();
  if (launch.attention.qkv_row < q_width + 2 * kv_width)
    return "rows of q, k and v lie " + std::to_string(launch.attention.qkv_row) +
           " elements apart, the self-test packs them into one row of " +
           std::to_string(q_width + 2 * kv_width);
  const auto c = reference::admission_case(
      {size.heads, size.kv_heads, size.head_dim, launch.attention.causal, launch.attention.scale},
      size.segments, size.longest, backward);
  const auto rows = static_cast<std::size_t>(c.tokens() + c.guard_rows);
  const Held qkv(packed_rows(c, launch.attention.qkv_row, size));
  auto* q = static_cast<bf16*>(qkv.data());
  CudnnPointers pointers{};
  slot(pointers, CudnnTensor::q) = q;
  slot(pointers, CudnnTensor::k) = q + q_width;
  slot(pointers, CudnnTensor::v) = q + q_width + kv_width;
  const auto stream = static_cast<cudaStream_t>(launch.call.stream);
  const auto finish = [stream] {
    require_cuda(cudaStreamSynchronize(stream), "attention by cuDNN: the self-test");
  };
  reference::AdmissionResult result;
  if (!backward) {
    const Held out(rows * static_cast<std::size_t>(q_width) * sizeof(bf16)),
        log_sum(rows * static_cast<std::size_t>(size.heads) * sizeof(float));
    out.guard();
    log_sum.guard();
    slot(pointers, CudnnTensor::out) = out.data();
    slot(pointers, CudnnTensor::log_sum) = log_sum.data();
    launch.run(entry, c.cu_seqlens, pointers);
    finish();
    out.read(result.out);
    log_sum.read(result.log_sum);
    return reference::admission_failure(c, result);
  }
  const Held out(c.out), d_out(c.d_out), log_sum(c.log_sum);
  slot(pointers, CudnnTensor::out) = out.data();
  slot(pointers, CudnnTensor::d_out) = d_out.data();
  slot(pointers, CudnnTensor::log_sum) = log_sum.data();
  launch.run(entry, c.cu_seqlens, pointers);
  finish();
  const auto read = [&](std::vector<bf16>& to, std::int64_t offset, std::int64_t width) {
    to.resize(static_cast<std::size_t>(c.tokens() * width));
    require_cuda(cudaMemcpy(to.data(), launch.at<void>(offset), to.size() * sizeof(bf16),
                            cudaMemcpyDeviceToHost),
                 "attention by cuDNN: reading the self-test");
  };
  read(result.d_q, launch.scratch.d_q, q_width);
  read(result.d_k, launch.scratch.d_k, kv_width);
  read(result.d_v, launch.scratch.d_v, kv_width);
  return reference::admission_failure(c, result);
}

Entry make_entry(const Launch& launch) {
  Entry entry;
  const std::int64_t planned =
      cudnn_workspace_bytes(launch.attention.size, launch.attention.pass, launch.attention.causal,
                            launch.attention.deterministic, library().multiprocessors);
  try {
    entry.graph = std::make_unique<CudnnGraph>(launch.attention);
    entry.plan = entry.graph->build(library().handle);
  } catch (const DeviceError& e) {  // kept as the reason for which the own kernel runs
    entry.refusal = e.what();
    return entry;
  }
  const std::string name = describe(launch.attention);
  if (entry.plan.workspace_bytes > planned)
    entry.refusal = "cuDNN " + cudnn_version() + " wants " +
                    std::to_string(entry.plan.workspace_bytes) + " byte for " + name + ", " +
                    std::to_string(planned) + " were planned";
  else if (const std::string text = self_test(launch, entry); !text.empty())
    entry.refusal = "cuDNN " + cudnn_version() + ", " + entry.plan.engine +
                    " fails the self-test of " + name + ": " + text;
  return entry;
}

/// Null: not used, the reason is noted.
Entry* admitted(Library& lib, const Launch& launch) {
  const CudnnCall& call = launch.call;
  for (std::size_t s = 1; s < call.cu_seqlens.size(); ++s)
    if (call.cu_seqlens[s] - call.cu_seqlens[s - 1] < kShortest) {
      lib.refuse("segments of fewer than 2 rows run on the own attention kernel");
      return nullptr;
    }
  if (launch.scratch.bytes > call.scratch_bytes)
    throw DeviceError("attention by cuDNN: the scratch has " + std::to_string(call.scratch_bytes) +
                      " byte, " + describe(launch.attention) + " needs " +
                      std::to_string(launch.scratch.bytes) +
                      " (the pass would write behind it). Plan for the bounds of every micro-batch "
                      "and for the multiprocessors of this device");
  require_cudnn(cudnnSetStream(lib.handle, static_cast<cudaStream_t>(call.stream)),
                "cudnnSetStream");
  auto found = lib.plans.find(launch.attention);
  if (found == lib.plans.end()) {
    if (lib.plans.size() == kMaxPlans) lib.plans.clear();
    found = lib.plans.emplace(launch.attention, make_entry(launch)).first;
  }
  if (found->second.refusal.empty()) return &found->second;
  lib.refuse(found->second.refusal);
  return nullptr;
}

}  // namespace

std::string cudnn_attention(const CudnnCall& call, const CudnnForward& operands) {
  Library& lib = library();
  const std::lock_guard lock(lib.mutex);
  const Launch launch(call, AttentionPass::forward, lib.multiprocessors);
  Entry* entry = admitted(lib, launch);
  if (!entry) return {};
  CudnnPointers pointers{};
  slot(pointers, CudnnTensor::q) = writable(operands.q);
  slot(pointers, CudnnTensor::k) = writable(operands.k);
  slot(pointers, CudnnTensor::v) = writable(operands.v);
  slot(pointers, CudnnTensor::out) = operands.out;
  slot(pointers, CudnnTensor::log_sum) = operands.log_sum;
  launch.run(*entry, call.cu_seqlens, pointers);
  return "cudnn " + entry->plan.engine;
}

std::string cudnn_attention_backward(const CudnnCall& call, const CudnnBackward& operands) {
  Library& lib = library();
  const std::lock_guard lock(lib.mutex);
  const Launch launch(call, AttentionPass::backward, lib.multiprocessors);
  Entry* entry = admitted(lib, launch);
  if (!entry) return {};
  CudnnPointers pointers{};
  slot(pointers, CudnnTensor::q) = writable(operands.q);
  slot(pointers, CudnnTensor::k) = writable(operands.k);
  slot(pointers, CudnnTensor::v) = writable(operands.v);
  slot(pointers, CudnnTensor::out) = writable(operands.out);
  slot(pointers, CudnnTensor::d_out) = writable(operands.d_out);
  slot(pointers, CudnnTensor::log_sum) = const_cast<float*>(operands.log_sum);
  launch.run(*entry, call.cu_seqlens, pointers);
  const auto tokens = static_cast<std::size_t>(call.cu_seqlens.back());
  const auto copy = [&](void* to, std::int64_t from, std::int64_t width) {
    const auto bytes = static_cast<std::size_t>(width) * sizeof(bf16);
    require_cuda(
        cudaMemcpy2DAsync(to, static_cast<std::size_t>(operands.gradient_row) * sizeof(bf16),
                          launch.at<void>(from), bytes, bytes, tokens, cudaMemcpyDeviceToDevice,
                          static_cast<cudaStream_t>(call.stream)),
        "attention by cuDNN: copying gradients into their rows");
  };
  copy(operands.d_q, launch.scratch.d_q, launch.attention.size.q_width());
  copy(operands.d_k, launch.scratch.d_k, launch.attention.size.kv_width());
  copy(operands.d_v, launch.scratch.d_v, launch.attention.size.kv_width());
  return "cudnn " + entry->plan.engine;
}

std::vector<std::string> cudnn_refusals() {
  Library& lib = library();
  const std::lock_guard lock(lib.mutex);
  return lib.refusals;
}

}  // namespace vlmark::kernels
