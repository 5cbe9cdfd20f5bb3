#include "src/io/record.hpp"
#include "tests/fuzz/input_folder.hpp"

using namespace vlmark;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::Bytes input(data, size);
  fuzz::write_input("samples.h5", input);
  fuzz::bounded(input, {1 << 24, 256}, [&] { io::read_record(fuzz::input_folder()); });
  return 0;
}
