#include "src/data/chat.hpp"

#include "src/base/error.hpp"

namespace vlmark::data {
namespace {

std::size_t count_pads(std::string_view text) {
  std::size_t pads = 0;
  for (const std::string_view pad : {image_pad, video_pad})
    for (std::size_t at = text.find(pad); at != text.npos; at = text.find(pad, at + pad.size()))
      ++pads;
  return pads;
}

int tokens_of(const plan::Grid& grid, std::size_t index, int merge_size) {
  if (grid.t > 0 && grid.h > 0 && grid.w > 0 && grid.h % merge_size == 0 &&
      grid.w % merge_size == 0)
    return grid.merged(merge_size);
  throw ValueError("expand_vision_pads: grid " + std::to_string(index) + " is " +
                   std::to_string(grid.t) + " x " + std::to_string(grid.h) + " x " +
                   std::to_string(grid.w) + " patches (expected positive sizes, rows and columns " +
                   "multiples of merge_size " + std::to_string(merge_size) +
                   "). Resize the picture by smart_resize.");
}

}  // namespace

std::string render_chat(std::span<const ChatMessage> messages, bool add_generation_prompt,
                        bool add_vision_id) {
  if (messages.empty())
    throw ValueError(
        "render_chat: there are 0 messages (a conversation has at least 1). "
        "Add a message of the user.");
  std::string out;
  int pictures = 0, videos = 0;
  if (messages[0].role != "system")
    out += "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n";
  const auto append_vision = [&](const char* label, int number, std::string_view pad) {
    if (add_vision_id) out += label + std::to_string(number) + ": ";
    out += "<|vision_start|>";
    out += pad;
    out += "<|vision_end|>";
  };
  for (const ChatMessage& message : messages) {
    out += "<|im_start|>" + message.role + "\n";
    for (const ContentPart& part : message.content) switch (part.kind) {
        case ContentPart::Kind::text:
          out += part.text;
          break;
        case ContentPart::Kind::image:
          append_vision("Picture ", ++pictures, image_pad);
          break;
        case ContentPart::Kind::video:
          append_vision("Video ", ++videos, video_pad);
          break;
      }
    out += "<|im_end|>\n";
  }
  if (add_generation_prompt) out += "<|im_start|>assistant\n";
  return out;
}

std::string expand_vision_pads(std::string_view text, std::span<const plan::Grid> grids,
                               int merge_size) {
  if (merge_size < 1)
    throw ValueError("expand_vision_pads: merge_size is " + std::to_string(merge_size) +
                     " (must be at least 1). Take it from the model's vision_config.");
  if (const std::size_t pads = count_pads(text); pads != grids.size())
    throw ValueError("expand_vision_pads: the text has " + std::to_string(pads) +
                     " image or video pads, but there are " + std::to_string(grids.size()) +
                     " grids (each picture or video fills one pad). Check the prompt for typed "
                     "pad tokens and the list of media.");
  std::string out;
  std::size_t done = 0, next_image = text.find(image_pad), next_video = text.find(video_pad);
  for (std::size_t i = 0; i < grids.size(); ++i) {
    const bool image = next_image < next_video;
    const std::string_view pad = image ? image_pad : video_pad;
    std::size_t& next = image ? next_image : next_video;
    out += text.substr(done, next - done);
    for (int n = tokens_of(grids[i], i, merge_size); n > 0; --n) out += pad;
    done = next + pad.size();
    next = text.find(pad, done);
  }
  return out.append(text.substr(done));
}

}  // namespace vlmark::data
