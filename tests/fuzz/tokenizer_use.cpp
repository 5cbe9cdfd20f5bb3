#include "tests/fuzz/tokenizer_use.hpp"

#include "tests/fuzz/bounded.hpp"

namespace vlmark::fuzz {

void use(const data::Tokenizer& tokenizer) {
  const std::string texts[] = {"",
                               "Hello  world\r\n\n it's 1234",
                               "<|im_start|> e\u0301 \u4e2d\u6587 \U0001f469\u200d\U0001f467",
                               std::string(100, 'a'),
                               std::string(100, ' ') + "x",
                               std::string("\0\x7f", 2)};
  const int tokens = tokenizer.vocab_size();
  for (const std::string& text : texts) {
    const auto ids = tokenizer.encode(text);
    for (const int id : ids) require(id >= 0 && id < tokens, "an id outside the vocabulary");
    tokenizer.decode(ids);
  }
  for (int id = 0; id < tokens; ++id) {
    tokenizer.decode(std::span(&id, 1));
    require(tokenizer.id_of(tokenizer.token(id)).has_value(), "a token without an id");
  }
}

}  // namespace vlmark::fuzz
