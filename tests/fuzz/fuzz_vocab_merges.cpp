#include "tests/fuzz/input_folder.hpp"
#include "tests/fuzz/tokenizer_use.hpp"

using namespace vlmark;

/// The input is vocab.json up to the first zero byte and merges.txt after it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const fuzz::Bytes input(bytes, size);
  const std::size_t cut = std::min(fuzz::text_of(input).find('\0'), size);
  fuzz::write_input("vocab.json", input.first(cut));
  fuzz::write_input("merges.txt", input.subspan(std::min(cut + 1, size)));
  fuzz::bounded(input, {fuzz::tokenizer_bytes, 512},
                [&] { fuzz::use(data::Tokenizer::from_folder(fuzz::input_folder())); });
  return 0;
}
