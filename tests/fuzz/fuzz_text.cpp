#include <cstdlib>

#include "src/data/tokenizer.hpp"
#include "src/data/tokenizer_nfc.hpp"
#include "src/data/tokenizer_utf8.hpp"
#include "tests/fuzz/bounded.hpp"

using namespace vlmark;

namespace {

std::filesystem::path tokenizer_folder() {
  const char* root = std::getenv("VLMARK_SOURCE_DIR");
  return std::filesystem::path(root != nullptr ? root : ".") / "tests/golden/tokenizer";
}

}  // namespace

/// Encodes the input: refused where it is no UTF-8, else its ids give back its NFC.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static const auto tokenizer = data::Tokenizer::from_folder(tokenizer_folder());
  const fuzz::Bytes input(bytes, size);
  const std::string_view text = fuzz::text_of(input);
  const bool valid = data::first_invalid_utf8(text) == size;
  fuzz::bounded(input, {1 << 22, 256}, [&] {
    const auto ids = tokenizer.encode(text);
    fuzz::require(valid, "text that is not UTF-8 is encoded");
    fuzz::require(tokenizer.decode(ids) == data::nfc(text), "decoding gives another text");
  });
  return 0;
}
