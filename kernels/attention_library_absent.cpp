#include "kernels/attention_library.hpp"

namespace vlmark::kernels {

void require_attention_library() {
  throw DeviceError(
      "attention: train.attention is cudnn but this build has no cuDNN (no kernel of it can run). "
      "Configure with preset cuda, or set train.attention = \"own\"");
}

bool library_attention(const Exec&, const AttentionShape&, Mat<const float>, Mat<const float>,
                       Mat<const float>, Mat<float>, Mat<float>, const AttentionScratch&) {
  return false;
}
bool library_attention(const Exec&, const AttentionShape&, Mat<const bf16>, Mat<const bf16>,
                       Mat<const bf16>, Mat<bf16>, Mat<float>, const AttentionScratch&) {
  return false;
}
bool library_attention_backward(const Exec&, const AttentionShape&, Mat<const float>,
                                Mat<const float>, Mat<const float>, Mat<const float>,
                                Mat<const float>, Mat<const float>, Mat<float>, Mat<float>,
                                Mat<float>, const AttentionScratch&) {
  return false;
}
bool library_attention_backward(const Exec&, const AttentionShape&, Mat<const bf16>,
                                Mat<const bf16>, Mat<const bf16>, Mat<const bf16>, Mat<const bf16>,
                                Mat<const float>, Mat<bf16>, Mat<bf16>, Mat<bf16>,
                                const AttentionScratch&) {
  return false;
}

}  // namespace vlmark::kernels
