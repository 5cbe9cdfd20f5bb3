#pragma once

#include "src/plan/model_config.hpp"

namespace vlmark::test {

/// A tiny Qwen2-VL whose twelve heads of 8 many tensor ranks can share and whose MLP widths and
/// vocabulary none but one divides.
inline plan::ModelConfig odd_model(int kv_heads, bool tied) {
  plan::ModelConfig m;
  m.name = "odd";
  m.hidden = 96;
  m.layers = 3;
  m.heads = 12;
  m.kv_heads = kv_heads;
  m.intermediate = 53;
  m.vocab = 61;
  m.tied = tied;
  m.mrope_section = {1, 1, 2};
  m.vision.depth = 2;
  m.vision.embed_dim = 96;
  m.vision.heads = 12;
  m.vision.mlp_ratio = 1;
  m.vision.patch_size = 2;
  m.bos_id = m.pad_id = 50;
  m.eos_id = 51;
  m.vision_start_id = 52;
  m.vision_end_id = 53;
  m.image_id = 54;
  m.video_id = 55;
  return m;
}

}  // namespace vlmark::test
