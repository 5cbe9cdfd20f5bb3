#include "kernels/reference/activation.hpp"
#include "kernels/reference/cross_entropy.hpp"
#include "kernels/reference/embedding.hpp"
#include "kernels/reference/norm.hpp"
#include "kernels/reference/rotary.hpp"
#include "kernels/reference/rows.hpp"
#include "tests/kernels/finite_difference.hpp"
#include "tests/support/expect_close.hpp"
#include "tests/support/random_data.hpp"

// The hand-written gradients of the reference kernels against central differences of their own
// forward passes: the kernels are compared with these references elsewhere.

namespace vlmark::test {
namespace {

using namespace kernels::reference;

constexpr int kTokens = 3, kHidden = 5;

Values random(int count, int seed) { return to_double(gaussian(count, seed)); }

TEST(ReferenceGradient, RmsNorm) {
  const Values x = random(kTokens * kHidden, 1), w = random(kHidden, 2),
               dy = random(kTokens * kHidden, 3);
  const auto [dx, dw] = rms_norm_backward(dy, x, w, kHidden, 1e-3);
  expect_gradient([&](const Values& v) { return dot(dy, rms_norm(v, w, kHidden, 1e-3)); }, x, dx);
  expect_gradient([&](const Values& v) { return dot(dy, rms_norm(x, v, kHidden, 1e-3)); }, w, dw);
}

TEST(ReferenceGradient, LayerNorm) {
  const Values x = random(kTokens * kHidden, 1), w = random(kHidden, 2), b = random(kHidden, 4),
               dy = random(kTokens * kHidden, 3);
  const auto [dx, dw, db] = layer_norm_backward(dy, x, w, kHidden, 1e-3);
  const auto f = [&](const Values& x_, const Values& w_, const Values& b_) {
    return dot(dy, layer_norm(x_, w_, b_, kHidden, 1e-3));
  };
  expect_gradient([&](const Values& v) { return f(v, w, b); }, x, dx);
  expect_gradient([&](const Values& v) { return f(x, v, b); }, w, dw);
  expect_gradient([&](const Values& v) { return f(x, w, v); }, b, db);
}

TEST(ReferenceGradient, Activations) {
  const Values x = random(20, 1), dy = random(20, 2), half = random(10, 3);
  expect_gradient([&](const Values& v) { return dot(dy, quick_gelu(v)); }, x,
                  quick_gelu_backward(dy, x));
  expect_gradient([&](const Values& v) { return dot(dy, gelu_erf(v)); }, x,
                  gelu_erf_backward(dy, x));
  expect_gradient([&](const Values& v) { return dot(half, swiglu(v, 5)); }, x,
                  swiglu_backward(half, x, 5));
}

TEST(ReferenceGradient, RotationBackwardIsTheInverse) {
  const std::vector<int> positions{0, 3, 9, 1, 5, 2, 7, 7, 4};
  const Values table = mrope_table(positions, {1, 2, 1}, 100, 8);
  const Values x = random(kTokens * 18, 1), dy = random(kTokens * 18, 2);
  expect_gradient([&](const Values& v) { return dot(dy, rotate_half(v, table, 18, 2, 8, false)); },
                  x, rotate_half(dy, table, 18, 2, 8, true));
}

TEST(ReferenceGradient, Embedding) {
  const std::vector<int> ids{2, 0, 2, 3};
  const Values table = random(4 * kHidden, 1), dy = random(4 * kHidden, 2);
  expect_gradient([&](const Values& v) { return dot(dy, embedding_gather(ids, v, kHidden)); },
                  table, embedding_scatter_add(dy, ids, 4, kHidden));
}

TEST(ReferenceGradient, Rows) {
  const std::vector<int> chosen{3, 1};
  const Values x = random(4 * kHidden, 1), rows = random(2 * kHidden, 2),
               dy = random(4 * kHidden, 3), b = random(kHidden, 4);
  expect_gradient([&](const Values& v) { return dot(dy, scatter_rows(v, chosen, x, kHidden)); },
                  rows, gather_rows(dy, chosen, kHidden));
  expect_gradient([&](const Values& v) { return dot(dy, scatter_rows(rows, chosen, v, kHidden)); },
                  x, scatter_rows(Values(2 * kHidden), chosen, dy, kHidden));
  expect_gradient([&](const Values& v) { return dot(rows, gather_rows(v, chosen, kHidden)); }, x,
                  scatter_rows(rows, chosen, Values(4 * kHidden), kHidden));
  expect_gradient([&](const Values& v) { return dot(dy, add_bias(v, x)); }, b,
                  bias_gradient(dy, kHidden));
}

TEST(ReferenceGradient, CrossEntropy) {
  const Values logits = random(kTokens * 7, 1);
  const std::vector<int> targets{6, 0, 2};
  const auto total = [&](const Values& v) {
    double sum = 0;
    for (const double loss : softmax_cross_entropy(v, targets, 7, 0.25).losses) sum += loss;
    return 0.25 * sum;
  };
  expect_gradient(total, logits, softmax_cross_entropy(logits, targets, 7, 0.25).d_logits);
}

}  // namespace
}  // namespace vlmark::test
