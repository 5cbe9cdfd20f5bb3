#include "tests/golden/golden_data.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <memory>
#include <stdexcept>

#include "src/io/checkpoint.hpp"
#include "src/io/hf_config.hpp"
#include "src/io/tensor_values.hpp"

namespace vlmark::test {
namespace {

namespace fs = std::filesystem;

std::vector<int> to_ints(const std::vector<double>& values) {
  return {values.begin(), values.end()};
}

/// Media of one kind in the order of their rows.
std::vector<model::Medium> media_of(const GoldenTensors& tensors, const std::string& pixels,
                                    const std::string& grids, bool video, int patch_values) {
  std::vector<model::Medium> media;
  if (!tensors.has(grids)) return media;
  const std::vector<double>& grid = tensors.at(grids);
  const std::vector<double>& values = tensors.at(pixels);
  auto from = values.begin();
  for (std::size_t i = 0; i + 2 < grid.size(); i += 3) {
    model::Medium medium;
    medium.grid = {static_cast<int>(grid[i]), static_cast<int>(grid[i + 1]),
                   static_cast<int>(grid[i + 2])};
    medium.video = video;
    const auto to = from + long{medium.grid.patches()} * patch_values;
    medium.pixel_values.assign(from, to);
    from = to;
    media.push_back(std::move(medium));
  }
  return media;
}

}  // namespace

std::string test_name(std::string text) {
  for (char& c : text)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  return text;
}

std::string GoldenCase::label() const {
  return test_name(model.filename().string()) + "_" + test_name(name);
}

fs::path golden_folder() {
  if (const char* folder = std::getenv("VLMARK_GOLDEN")) return folder;
  const char* source = std::getenv("VLMARK_SOURCE_DIR");
  return fs::path(source ? source : ".") / "tests/golden";
}

std::vector<fs::path> golden_models() {
  std::vector<fs::path> models;
  for (const auto& entry : fs::directory_iterator(golden_folder()))
    if (fs::exists(entry.path() / "config.json")) models.push_back(entry.path());
  std::sort(models.begin(), models.end());
  return models;
}

std::vector<fs::path> golden_models_with(const std::string& file) {
  std::vector<fs::path> models;
  for (const auto& model : golden_models())
    if (fs::exists(model / file)) models.push_back(model);
  return models;
}

std::vector<GoldenCase> golden_cases() {
  std::vector<GoldenCase> cases;
  for (const auto& model : golden_models())
    for (const auto& entry : fs::directory_iterator(model)) {
      const std::string file = entry.path().filename().string(), ending = ".grads.safetensors";
      if (!file.ends_with(ending)) continue;
      const std::string name = file.substr(0, file.size() - ending.size());
      if (fs::exists(model / (name + ".safetensors"))) cases.push_back({model, name});
    }
  if (cases.empty())  // a run of no case would pass
    throw std::runtime_error(golden_folder().string() + ": holds no case of a model");
  std::sort(cases.begin(), cases.end(),
            [](const auto& a, const auto& b) { return a.label() < b.label(); });
  return cases;
}

plan::ModelConfig golden_config(const fs::path& model) {
  return io::read_hf_config(model / "config.json");
}

plan::TensorFill golden_weights(const fs::path& model) {
  const auto checkpoint = std::make_shared<io::Checkpoint>(model);
  return [checkpoint](const plan::LogicalTensor& tensor, long first, std::span<float> values) {
    io::copy_values(checkpoint->tensor(tensor.name), static_cast<std::size_t>(first), values);
  };
}

GoldenTensors::GoldenTensors(const fs::path& file) : file_(file) {
  const io::SafetensorsFile stored(file);
  for (const io::TensorView& tensor : stored.tensors()) {
    if (io::is_floating(tensor.type)) {
      tensors_[tensor.name] = io::to_doubles(tensor);
    } else {
      const auto values = io::to_integers(tensor);
      tensors_[tensor.name] = {values.begin(), values.end()};
    }
  }
}

const std::vector<double>& GoldenTensors::at(const std::string& name) const {
  const auto it = tensors_.find(name);
  if (it == tensors_.end()) throw std::out_of_range(file_.string() + " holds no '" + name + "'");
  return it->second;
}

std::vector<std::string> GoldenTensors::names() const {
  std::vector<std::string> names;
  for (const auto& [name, values] : tensors_) names.push_back(name);
  return names;
}

std::vector<model::Sequence> golden_sequences(const GoldenTensors& tensors,
                                              const plan::ModelConfig& config) {
  std::vector<model::Sequence> sequences;
  for (int i = 0; tensors.has("s" + std::to_string(i) + ".input_ids"); ++i) {
    const std::string s = "s" + std::to_string(i) + ".";
    const int values = config.vision.patch_values();
    auto images = media_of(tensors, s + "pixel_values", s + "image_grid_thw", false, values);
    auto videos = media_of(tensors, s + "pixel_values_videos", s + "video_grid_thw", true, values);
    model::Sequence sequence;
    sequence.ids = to_ints(tensors.at(s + "input_ids"));
    sequence.labels = to_ints(tensors.at(s + "labels"));
    // Images and videos are stored apart; the tokens tell their common order.
    auto image = images.begin(), video = videos.begin();
    for (std::size_t k = 0; k < sequence.ids.size();) {
      const int id = sequence.ids[k];
      if (id != config.image_id && id != config.video_id) {
        ++k;
        continue;
      }
      auto& medium = id == config.image_id ? image : video;
      k += static_cast<std::size_t>(medium->grid.merged(config.vision.merge_size));
      sequence.media.push_back(std::move(*medium++));
    }
    sequences.push_back(std::move(sequence));
  }
  return sequences;
}

}  // namespace vlmark::test
