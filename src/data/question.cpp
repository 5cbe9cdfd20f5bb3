#include "src/data/question.hpp"

#include "src/data/chat.hpp"

namespace vlmark::data {

std::vector<int> encode_question(const Tokenizer& tokenizer, std::span<const plan::Grid> pictures,
                                 const std::string& text, int merge_size) {
  ChatMessage user{"user", std::vector<ContentPart>(pictures.size(), {ContentPart::Kind::image})};
  user.content.push_back({ContentPart::Kind::text, text});
  const std::string chat = render_chat(std::span(&user, 1), /*add_generation_prompt=*/true);
  return tokenizer.encode(expand_vision_pads(chat, pictures, merge_size));
}

}  // namespace vlmark::data
