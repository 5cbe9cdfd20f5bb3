#pragma once

#include <array>

namespace vlmark::data {

/// Qwen2-VL's special tokens in the order of their ids, which follow one another.
inline constexpr std::array qwen2_vl_specials = {
    "<|endoftext|>",      "<|im_start|>",     "<|im_end|>",     "<|object_ref_start|>",
    "<|object_ref_end|>", "<|box_start|>",    "<|box_end|>",    "<|quad_start|>",
    "<|quad_end|>",       "<|vision_start|>", "<|vision_end|>", "<|vision_pad|>",
    "<|image_pad|>",      "<|video_pad|>"};

}  // namespace vlmark::data
