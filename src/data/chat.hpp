#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/plan/grid.hpp"

namespace vlmark::data {

inline constexpr std::string_view image_pad = "<|image_pad|>";
inline constexpr std::string_view video_pad = "<|video_pad|>";

/// One item of a message: a text, or the place of a picture or video.
struct ContentPart {
  enum class Kind { text, image, video };
  Kind kind = Kind::text;
  std::string text = "";  ///< of Kind::text
};

struct ChatMessage {
  std::string role;  ///< "system", "user" or "assistant"
  std::vector<ContentPart> content;
};

/// Writes a conversation in the ChatML layout of the Qwen2-VL Instruct models:
///
///     <|im_start|>role\n content <|im_end|>\n        for each message, a system message first
///
/// A picture becomes `<|vision_start|><|image_pad|><|vision_end|>`, a video the same with
/// `<|video_pad|>`. `add_generation_prompt` opens the assistant's answer; `add_vision_id` numbers
/// pictures and videos over the whole conversation. Source: chat_template.json of the models.
/// Throws ValueError when there is no message.
std::string render_chat(std::span<const ChatMessage> messages, bool add_generation_prompt,
                        bool add_vision_id = false);

/// Repeats the i-th pad token of a text once for every token of the i-th grid,
/// t * h * w / merge_size^2 times. A pad that a user typed counts like any other.
/// Source: the Qwen2-VL processor of Hugging Face's transformers.
/// Throws ValueError when pads and grids differ in number, or when a grid is not a whole number of
/// merge_size x merge_size blocks.
std::string expand_vision_pads(std::string_view text, std::span<const plan::Grid> grids,
                               int merge_size);

}  // namespace vlmark::data
