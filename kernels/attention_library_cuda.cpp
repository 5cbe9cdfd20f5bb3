#include "kernels/attention_cudnn.hpp"
#include "kernels/attention_kernels.hpp"
#include "kernels/attention_library.hpp"

// Compiled only where Exec is Kokkos::Cuda.

namespace vlmark::kernels {
namespace {

void require_row(const char* name, long row, long expected) {
  if (row == expected) return;
  throw ShapeError(std::string("library_attention: rows of ") + name + " lie " +
                   std::to_string(row) + " elements apart (expected " + std::to_string(expected) +
                   "). Pass a matrix of that layout");
}

CudnnCall call_of(const Exec& exec, const AttentionShape& shape, const Mat<const bf16>& q,
                  const Mat<const bf16>& k, const Mat<const bf16>& v,
                  const AttentionScratch& scratch) {
  const long row = static_cast<long>(q.stride(0));
  require_row("k", static_cast<long>(k.stride(0)), row);
  require_row("v", static_cast<long>(v.stride(0)), row);
  CudnnCall call;
  call.stream = exec.cuda_stream();
  call.heads = shape.heads;
  call.kv_heads = shape.kv_heads;
  call.head_dim = shape.head_dim;
  call.causal = shape.causal;
  call.deterministic = scratch.deterministic;
  call.scale = shape.scale;
  call.qkv_row = row;
  call.cu_seqlens = scratch.cu_seqlens;
  call.scratch = scratch.data;
  call.scratch_bytes = scratch.bytes;
  return call;
}

bool wanted(const Mat<const bf16>& q, const AttentionScratch& scratch) {
  return scratch.bytes > 0 && q.extent(0) > 0;
}

/// Books the pass where an engine ran it.
bool booked(const char* pass, const AttentionShape& shape, const AttentionScratch& scratch,
            std::uint64_t times, const std::string& engine) {
  if (engine.empty()) return false;
  const std::vector<int> cu(scratch.cu_seqlens.begin(), scratch.cu_seqlens.end());
  book_attention(pass, DType::bf16, shape, times * attention_flops(shape, cu, cu), engine);
  return true;
}

}  // namespace

void require_attention_library() {}

bool library_attention(const Exec&, const AttentionShape&, Mat<const float>, Mat<const float>,
                       Mat<const float>, Mat<float>, Mat<float>, const AttentionScratch&) {
  return false;
}

bool library_attention(const Exec& exec, const AttentionShape& shape, Mat<const bf16> q,
                       Mat<const bf16> k, Mat<const bf16> v, Mat<bf16> out, Mat<float> log_sum,
                       const AttentionScratch& scratch) {
  if (!wanted(q, scratch)) return false;
  require_row("out", static_cast<long>(out.stride(0)), long{shape.heads} * shape.head_dim);
  require_row("log_sum", static_cast<long>(log_sum.stride(0)), shape.heads);
  const CudnnForward operands{q.data(), k.data(), v.data(), out.data(), log_sum.data()};
  return booked("forward", shape, scratch, 1,
                cudnn_attention(call_of(exec, shape, q, k, v, scratch), operands));
}

bool library_attention_backward(const Exec&, const AttentionShape&, Mat<const float>,
                                Mat<const float>, Mat<const float>, Mat<const float>,
                                Mat<const float>, Mat<const float>, Mat<float>, Mat<float>,
                                Mat<float>, const AttentionScratch&) {
  return false;
}

bool library_attention_backward(const Exec& exec, const AttentionShape& shape, Mat<const bf16> dout,
                                Mat<const bf16> out, Mat<const bf16> q, Mat<const bf16> k,
                                Mat<const bf16> v, Mat<const float> log_sum, Mat<bf16> dq,
                                Mat<bf16> dk, Mat<bf16> dv, const AttentionScratch& scratch) {
  if (!wanted(q, scratch)) return false;
  const long q_width = long{shape.heads} * shape.head_dim, row = static_cast<long>(dq.stride(0));
  require_row("dout", static_cast<long>(dout.stride(0)), q_width);
  require_row("out", static_cast<long>(out.stride(0)), q_width);
  require_row("log_sum", static_cast<long>(log_sum.stride(0)), shape.heads);
  require_row("dk", static_cast<long>(dk.stride(0)), row);
  require_row("dv", static_cast<long>(dv.stride(0)), row);
  const CudnnBackward operands{q.data(),       k.data(),  v.data(),  out.data(), dout.data(),
                               log_sum.data(), dq.data(), dk.data(), dv.data(),  row};
  return booked("backward", shape, scratch, 2,
                cudnn_attention_backward(call_of(exec, shape, q, k, v, scratch), operands));
}

}  // namespace vlmark::kernels
