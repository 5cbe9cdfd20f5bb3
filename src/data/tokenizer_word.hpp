#pragma once

namespace vlmark::data {

/// True for characters that Hugging Face's added tokens count as part of a word (`\w` of Unicode
/// technical standard 18: letters, marks, decimal digits, letter numbers, connecting punctuation,
/// joiners, and symbols with the property Alphabetic), by Unicode 16.
bool is_word_character(char32_t c);

}  // namespace vlmark::data
