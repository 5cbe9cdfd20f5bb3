#include "src/data/media.hpp"
#include "tests/fuzz/input_folder.hpp"

using namespace vlmark;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const fuzz::Bytes input(bytes, size);
  fuzz::write_input("captions.json", input);
  fuzz::bounded(input, {1 << 16, 256}, [&] {
    for (const auto& picture : data::read_captions(fuzz::input_folder()))
      fuzz::require(!picture.caption.empty(), "a picture without a caption");
  });
  return 0;
}
