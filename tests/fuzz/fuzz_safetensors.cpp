#include "src/io/safetensors.hpp"
#include "src/io/tensor_values.hpp"
#include "tests/fuzz/input_folder.hpp"

using namespace vlmark;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::Bytes input(data, size);
  const auto path = fuzz::write_input("input.safetensors", input);
  fuzz::bounded(input, {1 << 16, 256}, [&] {
    const io::SafetensorsFile file(path);
    std::size_t covered = 0;
    float values[64];
    for (const io::TensorView& tensor : file.tensors()) {
      covered += tensor.data.size();
      fuzz::require(file.find(tensor.name) == &tensor, "a tensor is not found by its name");
      if (!io::is_floating(tensor.type)) continue;
      const std::size_t count = std::min<std::size_t>(tensor.numel(), std::size(values));
      io::copy_values(tensor, tensor.numel() - count, std::span(values, count));
    }
    fuzz::require(covered < size, "the tensors are larger than the file");
  });
  return 0;
}
