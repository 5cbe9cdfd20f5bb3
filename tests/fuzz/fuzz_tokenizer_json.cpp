#include "tests/fuzz/bounded.hpp"
#include "tests/fuzz/tokenizer_use.hpp"

using namespace vlmark;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const fuzz::Bytes input(bytes, size);
  fuzz::bounded(input, {fuzz::tokenizer_bytes, 512},
                [&] { fuzz::use(data::Tokenizer::from_json_text(fuzz::text_of(input))); });
  return 0;
}
