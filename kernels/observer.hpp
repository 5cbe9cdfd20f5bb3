#pragma once

#include <span>

#include "kernels/attention.hpp"
#include "kernels/gemm_shape.hpp"
#include "kernels/operand.hpp"
#include "kernels/types.hpp"

namespace vlmark::kernels {

/// A product as it is about to run, or has been queued on `exec`. Addresses are those of kernels.
struct GemmCall {
  const Exec& exec;
  const GemmShape& shape;
  Operand<const void*> a, b, c;
  float beta;        ///< 0 or 1
  const void* bias;  ///< [n] of the type of C, added to every row by the product; null: none
};

/// An attention's forward pass that has been queued on `exec`; one cu_seqlens of queries and keys.
struct AttentionCall {
  const Exec& exec;
  const AttentionShape& shape;
  DType type;
  Operand<const void*> q, k, v, out;
  std::span<const int> cu_seqlens;  ///< host memory
};

/// Looks at every product and attention of this process while it is installed. It may read the
/// operands and wait for `exec`, and changes nothing.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void before_gemm(const GemmCall& call) = 0;
  virtual void after_gemm(const GemmCall& call) = 0;
  virtual void after_attention(const AttentionCall& call) = 0;
};

namespace detail {
inline Observer* installed = nullptr;
}

/// The observer in force; null: none, which costs each call one comparison.
inline Observer* observer() { return detail::installed; }
/// Installs an observer until the end of the scope. For the thread that calls kernels, between steps.
class Observed {
 public:
  explicit Observed(Observer* now) : before_(detail::installed) { detail::installed = now; }
  ~Observed() { detail::installed = before_; }
  Observed(const Observed&) = delete;
  Observed& operator=(const Observed&) = delete;

 private:
  Observer* before_;
};

}  // namespace vlmark::kernels
