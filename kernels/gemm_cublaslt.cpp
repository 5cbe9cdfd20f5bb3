#include "kernels/gemm_cublaslt.hpp"

#include <cublasLt.h>
#include <cuda_runtime_api.h>

#include <algorithm>
#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <type_traits>

#include "kernels/column_major.hpp"
#include "kernels/cuda_check.hpp"
#include "src/base/error.hpp"

namespace vlmark::kernels {
namespace {

// Token counts vary from step to step, so the shapes of a run have no bound of their own.
constexpr std::size_t kMaxChoices = 4096;

void require_success(cublasStatus_t status, const char* call, const GemmShape& shape) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  throw DeviceError(std::string("gemm: ") + call + " returned " + cublasLtGetStatusName(status) +
                    " (" + std::to_string(static_cast<int>(status)) + ", wanted 0) for " +
                    gemm_key(shape) + ": " + cublasLtGetStatusString(status) +
                    " (the product cannot run). Look at the driver with nvidia-smi, or choose the "
                    "Kokkos back end");
}

struct DestroyDescriptor {
  void operator()(cublasLtMatmulDesc_t d) const { cublasLtMatmulDescDestroy(d); }
  void operator()(cublasLtMatrixLayout_t d) const { cublasLtMatrixLayoutDestroy(d); }
  void operator()(cublasLtMatmulPreference_t d) const { cublasLtMatmulPreferenceDestroy(d); }
};
template <class Handle>
using Owned = std::unique_ptr<std::remove_pointer_t<Handle>, DestroyDescriptor>;

cudaDataType_t type_of(DType type) { return type == DType::bf16 ? CUDA_R_16BF : CUDA_R_32F; }

/// Largest power of two up to 256 that divides the address.
std::uint32_t alignment_of(const void* data) {
  const auto address = reinterpret_cast<std::uintptr_t>(data) | 256u;
  return static_cast<std::uint32_t>(address & (~address + 1));
}

/// Everything that the choice of an algorithm depends on.
struct Key {
  GemmShape shape;
  long a_row, b_row, c_row;
  std::uint32_t a_align, b_align, c_align;
  bool add, bias;
  std::size_t workspace;
  auto operator<=>(const Key&) const = default;
};

struct Choice {
  cublasLtMatmulAlgo_t algorithm;
  std::string name;
};

/// One call of the library. Its first operand is our B, its second our A.
class Product {
 public:
  explicit Product(const CublasltProduct& p) : p_(p) {
    const GemmShape& s = p.shape;
    cublasLtMatmulDesc_t operation = nullptr;
    require_success(cublasLtMatmulDescCreate(&operation, CUBLAS_COMPUTE_32F, CUDA_R_32F),
                    "cublasLtMatmulDescCreate", s);
    operation_.reset(operation);
    const ColumnMajorProduct columns = column_major_product(s, p.a.row, p.b.row, p.c.row);
    const auto letter = [](Trans t) { return t == Trans::yes ? CUBLAS_OP_T : CUBLAS_OP_N; };
    set(CUBLASLT_MATMUL_DESC_TRANSA, letter(columns.transpose_first));
    set(CUBLASLT_MATMUL_DESC_TRANSB, letter(columns.transpose_second));
    if (p.bias) {
      set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS);
      set(CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, type_of(s.c));
      set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, p.bias);
    }
    b_ = layout(s.b, columns.first);
    a_ = layout(s.a, columns.second);
    c_ = layout(s.c, columns.result);
  }

  Choice choose(cublasLtHandle_t handle, const Key& key) const {
    cublasLtMatmulPreference_t preference = nullptr;
    require_success(cublasLtMatmulPreferenceCreate(&preference), "cublasLtMatmulPreferenceCreate",
                    p_.shape);
    const Owned<cublasLtMatmulPreference_t> owned(preference);
    const auto prefer = [&](cublasLtMatmulPreferenceAttributes_t name, auto value) {
      require_success(cublasLtMatmulPreferenceSetAttribute(preference, name, &value, sizeof(value)),
                      "cublasLtMatmulPreferenceSetAttribute", p_.shape);
    };
    prefer(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, std::uint64_t{p_.workspace_bytes});
    // Neither atomics in C (order of sums) nor partial sums in the type of C (rounded twice).
    prefer(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
           std::uint32_t{CUBLASLT_REDUCTION_SCHEME_NONE | CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE});
    prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, key.b_align);
    prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, key.a_align);
    prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, key.c_align);
    prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, key.c_align);
    cublasLtMatmulHeuristicResult_t result{};
    int found = 0;
    require_success(
        cublasLtMatmulAlgoGetHeuristic(handle, operation_.get(), b_.get(), a_.get(), c_.get(),
                                       c_.get(), preference, 1, &result, &found),
        "cublasLtMatmulAlgoGetHeuristic", p_.shape);
    require_success(found == 1 ? result.state : CUBLAS_STATUS_NOT_SUPPORTED,
                    "cublasLtMatmulAlgoGetHeuristic", p_.shape);
    return {result.algo, name_of_algorithm(result.algo)};
  }

  void run(cublasLtHandle_t handle, const Choice& choice, cudaStream_t stream) const {
    const float alpha = 1;
    require_success(cublasLtMatmul(handle, operation_.get(), &alpha, p_.b.data, b_.get(), p_.a.data,
                                   a_.get(), &p_.beta, p_.c.data, c_.get(), p_.c.data, c_.get(),
                                   &choice.algorithm, p_.workspace, p_.workspace_bytes, stream),
                    "cublasLtMatmul", p_.shape);
  }

 private:
  template <class T>
  void set(cublasLtMatmulDescAttributes_t name, T value) {
    require_success(cublasLtMatmulDescSetAttribute(operation_.get(), name, &value, sizeof(value)),
                    "cublasLtMatmulDescSetAttribute", p_.shape);
  }

  Owned<cublasLtMatrixLayout_t> layout(DType type, const ColumnMajorMatrix& m) const {
    cublasLtMatrixLayout_t made = nullptr;
    require_success(
        cublasLtMatrixLayoutCreate(&made, type_of(type), static_cast<std::uint64_t>(m.rows),
                                   static_cast<std::uint64_t>(m.columns), m.leading),
        "cublasLtMatrixLayoutCreate", p_.shape);
    return Owned<cublasLtMatrixLayout_t>(made);
  }

  std::string name_of_algorithm(const cublasLtMatmulAlgo_t& algorithm) const {
    std::string name = "cublaslt ";
    const cublasLtMatmulAlgoConfigAttributes_t parts[] = {
        CUBLASLT_ALGO_CONFIG_ID, CUBLASLT_ALGO_CONFIG_TILE_ID, CUBLASLT_ALGO_CONFIG_STAGES_ID,
        CUBLASLT_ALGO_CONFIG_SPLITK_NUM};
    for (const auto part : parts) {
      std::uint32_t value = 0;
      std::size_t written = 0;
      require_success(
          cublasLtMatmulAlgoConfigGetAttribute(&algorithm, part, &value, sizeof(value), &written),
          "cublasLtMatmulAlgoConfigGetAttribute", p_.shape);
      name += (part == CUBLASLT_ALGO_CONFIG_ID ? "" : ".") + std::to_string(value);
    }
    return name;
  }

  const CublasltProduct& p_;
  Owned<cublasLtMatmulDesc_t> operation_;
  Owned<cublasLtMatrixLayout_t> a_, b_, c_;
};

struct Library {
  std::mutex mutex;
  cublasLtHandle_t handle = nullptr;
  std::map<Key, Choice> choices;
};

Library& library(const GemmShape& shape) {
  // Never destroyed: the driver may be gone before static objects are.
  static Library* instance = [&shape] {
    auto made = std::make_unique<Library>();
    require_success(cublasLtCreate(&made->handle), "cublasLtCreate", shape);
    return made.release();
  }();
  return *instance;
}

}  // namespace

int cublaslt_version() { return static_cast<int>(cublasLtGetVersion()); }

int cublaslt_device() {
  int device = 0, major = 0, minor = 0, multiprocessors = 0;
  const bool found =
      cudaGetDevice(&device) == cudaSuccess &&
      cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device) == cudaSuccess &&
      cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device) == cudaSuccess &&
      cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, device) ==
          cudaSuccess;
  if (!found) cudaGetLastError();  // asked, answered: not an error of the next call
  return found ? (10 * major + minor) * 1000 + multiprocessors : 0;
}

std::string cublaslt_gemm(void* stream, const CublasltProduct& product) {
  Library& lib = library(product.shape);
  const std::lock_guard lock(lib.mutex);
  const Key key{product.shape,
                product.a.row,
                product.b.row,
                product.c.row,
                alignment_of(product.a.data),
                alignment_of(product.b.data),
                alignment_of(product.c.data),
                product.beta != 0,
                product.bias != nullptr,
                product.workspace_bytes};
  const Product call(product);
  auto found = lib.choices.find(key);
  if (found == lib.choices.end()) {
    if (lib.choices.size() == kMaxChoices) lib.choices.clear();
    found = lib.choices.emplace(key, call.choose(lib.handle, key)).first;
  }
  call.run(lib.handle, found->second, static_cast<cudaStream_t>(stream));
  return found->second.name;
}

}  // namespace vlmark::kernels
