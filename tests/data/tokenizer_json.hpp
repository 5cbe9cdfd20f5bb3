#pragma once

#include <string>
#include <utility>
#include <vector>

namespace vlmark::test {

/// Text of the smallest `tokenizer.json` of the Qwen2 kind: 256 byte tokens (id = byte), the merges
/// given as (left, right) in the file's spelling, and `<|im_end|>` as the last id.
std::string byte_tokenizer_text(const std::vector<std::pair<std::string, std::string>>& merges);

/// Text of an entry of `added_tokens`: special, no flag set.
std::string added_token_text(const std::string& content, int id);

}  // namespace vlmark::test
