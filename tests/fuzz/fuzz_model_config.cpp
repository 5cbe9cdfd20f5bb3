#include "src/io/hf_config.hpp"
#include "src/io/hf_processing.hpp"
#include "src/plan/parameters.hpp"
#include "tests/fuzz/input_folder.hpp"

using namespace vlmark;

namespace {

constexpr fuzz::HeapBound bound{1 << 18, 256};

/// What can be read can be written and is then the same.
void read_config(const std::filesystem::path& path) {
  const plan::ModelConfig model = io::read_hf_config(path);
  const auto copy = fuzz::input_folder() / "copy.json";
  io::write_hf_config(copy, model);
  fuzz::require(io::read_hf_config(copy) == model, "config.json changes when it is written again");
}

void read_generation(const std::filesystem::path& path, const plan::ModelConfig& model) {
  const auto config = io::read_generation_config(path, model);
  const auto copy = fuzz::input_folder() / "copy.json";
  io::write_generation_config(copy, config);
  fuzz::require(io::read_generation_config(copy, model) == config,
                "generation_config.json changes when it is written again");
}

void read_preprocessor(const std::filesystem::path& path, const plan::ModelConfig& model) {
  const auto config = io::read_preprocessor_config(path, model.vision);
  const auto copy = fuzz::input_folder() / "copy.json";
  io::write_preprocessor_config(copy, config, model.vision);
  fuzz::require(io::read_preprocessor_config(copy, model.vision) == config,
                "preprocessor_config.json changes when it is written again");
}

}  // namespace

/// The input is read as config.json, as generation_config.json and as preprocessor_config.json.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const plan::ModelConfig model = plan::model_preset("2B");
  const fuzz::Bytes input(data, size);
  const auto path = fuzz::write_input("config.json", input);
  fuzz::bounded(input, bound, [&] { read_config(path); });
  fuzz::bounded(input, bound, [&] { read_generation(path, model); });
  fuzz::bounded(input, bound, [&] { read_preprocessor(path, model); });
  // The table of the tensors grows with the layers: 4 KiB each are ample.
  constexpr std::size_t layers = 2 * 1024;
  fuzz::bounded(input, {layers * 8192, 256}, [&] {
    const plan::ParameterTable table(io::read_hf_config(path));
    fuzz::require(table.size() > 0, "a model without parameters");
  });
  return 0;
}
