#include "src/io/checkpoint.hpp"
#include "tests/fuzz/input_folder.hpp"
#include "tests/io/writers.hpp"

using namespace vlmark;

namespace {

/// A shard that is in order: one fp32 tensor of two values.
void write_shard(const std::string& file, const std::string& tensor) {
  const float values[2] = {1, 2};
  const auto bytes = std::as_bytes(std::span(values));
  test::write_safetensors(fuzz::input_folder() / file, {{tensor, io::TensorType::f32, {2}, bytes}});
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  write_shard("model-00001-of-00002.safetensors", "model.embed_tokens.weight");
  write_shard("model-00002-of-00002.safetensors", "model.norm.weight");
  return 0;
}

/// The index is the input, its two shards are in order.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::Bytes input(data, size);
  fuzz::write_input("model.safetensors.index.json", input);
  fuzz::bounded(input, {1 << 16, 256}, [&] {
    const io::Checkpoint checkpoint(fuzz::input_folder());
    for (const std::string& name : checkpoint.names())
      fuzz::require(checkpoint.tensor(name).data.size() == 8, "a shard changed");
    checkpoint.check({{"model.embed_tokens.weight", {2}}, {"model.norm.weight", {2}}});
  });
  return 0;
}
