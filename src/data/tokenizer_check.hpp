#pragma once

#include <string>
#include <string_view>

#include "src/data/tokenizer_file.hpp"

namespace vlmark::data {

/// Adds the merge of the next rank. Throws IoError unless both tokens and their junction are in
/// the vocabulary.
void add_merge(TokenizerSpec& spec, std::string_view left, std::string_view right,
               const std::string& name);

/// Splits "a b" and adds it as a merge. Throws IoError unless there is exactly one blank.
void add_merge(TokenizerSpec& spec, std::string_view rule, const std::string& name);

/// Fills `tokens` from `model` and `added` and checks what concerns the whole: ids dense and used
/// once, one token for each byte, no merge twice. Throws IoError.
void complete(TokenizerSpec& spec, const std::string& name);

}  // namespace vlmark::data
