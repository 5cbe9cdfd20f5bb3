#pragma once

#include <string>
#include <string_view>

namespace vlmark::data {

/// Makes the text that the split pattern is matched against: equal to `text` in length and in
/// every boundary, but with the characters whose class the regex library and Hugging Face see
/// differently replaced by others of the class Hugging Face sees.
///
/// A split pattern asks only whether a character is a letter (\p{L}), a number (\p{N}) or white
/// space. Hugging Face's `tokenizers` answers by Unicode 16; PCRE2 10.42 by Unicode 14, a younger
/// one by a younger version, and PCRE2 counts U+180E as white space. The table holds every
/// character whose answer changes from Unicode 14 to 18.
///
/// Returns `text` itself, or a view of `buffer` when something was replaced.
/// Precondition: valid UTF-8. Cost: one pass over the bytes.
std::string_view with_stable_classes(std::string_view text, std::string& buffer);

}  // namespace vlmark::data
