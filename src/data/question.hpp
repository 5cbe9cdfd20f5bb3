#pragma once

#include <span>
#include <string>
#include <vector>

#include "src/data/tokenizer.hpp"
#include "src/plan/grid.hpp"

namespace vlmark::data {

/// Ids of a user's turn, ready for the assistant's answer: the pictures of these grids, then the
/// text, in the chat layout, each picture's pad repeated for every merged patch. Throws what
/// Tokenizer::encode and expand_vision_pads throw.
std::vector<int> encode_question(const Tokenizer& tokenizer, std::span<const plan::Grid> pictures,
                                 const std::string& text, int merge_size);

}  // namespace vlmark::data
