#include "kernels/gemm_onednn.hpp"

#include <algorithm>
#include <dnnl.hpp>
#include <map>
#include <mutex>
#include <tuple>

#include "src/base/error.hpp"

namespace vlmark::kernels {
namespace {

// Token counts vary from step to step, so the shapes of a run have no bound of their own.
constexpr std::size_t kMaxPrimitives = 1024;

using Key = std::tuple<GemmShape, long, long, long, bool>;

struct Primitive {
  dnnl::matmul run;
  dnnl::memory a, b, c;  // their data pointers are set for each call
};

dnnl::engine& engine() {
  static dnnl::engine instance(dnnl::engine::kind::cpu, 0);
  return instance;
}

dnnl::memory::data_type type_of(DType type) {
  return type == DType::bf16 ? dnnl::memory::data_type::bf16 : dnnl::memory::data_type::f32;
}

dnnl::memory::desc matrix(int rows, int columns, DType type, Trans stored, long row) {
  return {{rows, columns},
          type_of(type),
          stored == Trans::no ? dnnl::memory::dims{row, 1} : dnnl::memory::dims{1, row}};
}

Primitive build(const GemmShape& s, long a_row, long b_row, long c_row, bool add) {
  const auto a = matrix(s.m, s.k, s.a, s.ta, a_row), b = matrix(s.k, s.n, s.b, s.tb, b_row);
  const auto c = matrix(s.m, s.n, s.c, Trans::no, c_row);
  dnnl::primitive_attr attributes;
  if (add) {
    dnnl::post_ops post;
    post.append_sum(1.0f);
    attributes.set_post_ops(post);
  }
  const dnnl::matmul::primitive_desc description(dnnl::matmul::desc(a, b, c), attributes, engine());
  return {dnnl::matmul(description), dnnl::memory(a, engine(), nullptr),
          dnnl::memory(b, engine(), nullptr), dnnl::memory(c, engine(), nullptr)};
}

}  // namespace

bool onednn_built_in() { return true; }

void onednn_sgemm(Trans ta, Trans tb, int m, int n, int k, Operand<const float*> a,
                  Operand<const float*> b, float beta, Operand<float*> c) {
  const auto letter = [](Trans t) { return t == Trans::yes ? 'T' : 'N'; };
  // A single row may carry any stride; oneDNN asks for at least the row's length.
  const long a_row = std::max<long>(a.row, ta == Trans::yes ? m : k);
  const long b_row = std::max<long>(b.row, tb == Trans::yes ? k : n);
  const dnnl_status_t status = dnnl_sgemm(letter(ta), letter(tb), m, n, k, 1.0f, a.data, a_row,
                                          b.data, b_row, beta, c.data, std::max<long>(c.row, n));
  if (status != dnnl_success)
    throw DeviceError("gemm: dnnl_sgemm returned status " + std::to_string(status) + " (wanted " +
                      std::to_string(dnnl_success) + ") for " +
                      gemm_key({DType::f32, DType::f32, DType::f32, ta, tb, m, n, k}) +
                      ". Choose the Kokkos back end and report it");
}

void onednn_bf16(const GemmShape& shape, Operand<const void*> a, Operand<const void*> b, float beta,
                 Operand<void*> c) {
  static std::mutex mutex;
  static std::map<Key, Primitive> primitives;
  static dnnl::stream stream(engine());
  const std::lock_guard lock(mutex);
  const Key key(shape, a.row, b.row, c.row, beta != 0);
  try {
    auto found = primitives.find(key);
    if (found == primitives.end()) {
      if (primitives.size() == kMaxPrimitives) primitives.clear();
      found = primitives.emplace(key, build(shape, a.row, b.row, c.row, beta != 0)).first;
    }
    Primitive& p = found->second;
    p.a.set_data_handle(const_cast<void*>(a.data));
    p.b.set_data_handle(const_cast<void*>(b.data));
    p.c.set_data_handle(c.data);
    p.run.execute(stream, {{DNNL_ARG_SRC, p.a}, {DNNL_ARG_WEIGHTS, p.b}, {DNNL_ARG_DST, p.c}});
    stream.wait();
  } catch (const dnnl::error& e) {
    throw DeviceError("gemm: oneDNN refuses " + gemm_key(shape) + ": " + e.what() +
                      " (a bf16 product needs bf16 instructions). Choose another back end");
  }
}

}  // namespace vlmark::kernels
