#pragma once

#include <string>
#include <string_view>

namespace vlmark::data {

/// Brings a text to Unicode normalisation form C, by the data of Unicode 9.
///
/// Hugging Face's `tokenizers` normalises by Unicode 9, a system's utf8proc by a younger version.
/// NFC never changes for characters that exist, so one rule makes the two equal: a character
/// younger than Unicode 9 that would reorder or compose stands as it is and separates its
/// neighbours. Precondition: valid UTF-8. Cost: O(n log n) for n bytes.
std::string nfc(std::string_view text);

/// True when a look at the blocks of its characters shows that `text` is in NFC. False means that
/// only nfc() can tell. Precondition: valid UTF-8.
bool is_surely_nfc(std::string_view text);

}  // namespace vlmark::data
