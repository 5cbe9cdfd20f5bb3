#pragma once

#include "src/data/tokenizer.hpp"

namespace vlmark::fuzz {

/// Encodes awkward texts with a tokenizer and decodes every token: what a file says may show only
/// here. Ends the program where ids leave the vocabulary.
void use(const data::Tokenizer& tokenizer);

/// A tokenizer holds one workspace of 1 MiB and its tables.
inline constexpr std::size_t tokenizer_bytes = 8 << 20;

}  // namespace vlmark::fuzz
