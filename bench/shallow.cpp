#include "bench/shallow.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "src/base/error.hpp"
#include "src/base/philox.hpp"
#include "src/data/patches.hpp"

namespace vlmark::bench {

void Shallow::add_options(CLI::App& app) {
  app.add_option("--model", model, "Widths: nano, 2B, 7B, 72B")->capture_default_str();
  app.add_option("--layers", layers, "Decoder layers")->capture_default_str();
  app.add_option("--vision-blocks", vision_blocks, "ViT blocks")->capture_default_str();
  app.add_option("--vocab", vocab, "Rows of the embedding")->capture_default_str();
  app.add_option("--text", text, "Text tokens")->capture_default_str();
  app.add_option("--picture", pictures, "Picture: WIDTHxHEIGHT (repeat)");
  app.add_option("--precision", precision)->check(CLI::IsMember({"fp32", "bf16"}));
}

plan::ModelConfig Shallow::config() const {
  plan::ModelConfig m = plan::model_preset(model);
  m.layers = layers;
  m.vision.depth = vision_blocks;
  m.vocab = vocab;
  // The last ids of the smaller vocabulary stand for the special tokens.
  int id = vocab;
  for (int* special :
       {&m.bos_id, &m.eos_id, &m.vision_start_id, &m.vision_end_id, &m.image_id, &m.video_id})
    *special = --id;
  m.pad_id = m.bos_id;
  std::string all;
  for (const std::string& problem : plan::problems(m)) all += "\n  " + problem;
  if (!all.empty()) throw ConfigError("benchmark: this model cannot be made:" + all);
  return m;
}

model::MicroBatch Shallow::random_batch(const plan::ModelConfig& m) const {
  const Philox random(1, "bench::step");
  std::uint64_t next = 0;
  model::Sequence s;
  for (const std::string& picture : pictures) {
    data::ImageSize size{};
    if (std::sscanf(picture.c_str(), "%dx%d", &size.width, &size.height) != 2)
      throw ConfigError("--picture: '" + picture +
                        "' is no size. Write WIDTHxHEIGHT, e.g. 448x448");
    const plan::Grid grid = data::preprocessed_grid(1, size, {}, m.vision);
    s.ids.push_back(m.vision_start_id);
    s.ids.insert(s.ids.end(), static_cast<std::size_t>(grid.merged(m.vision.merge_size)),
                 m.image_id);
    s.ids.push_back(m.vision_end_id);
    std::vector<float> pixels(static_cast<std::size_t>(grid.patches() * m.vision.patch_values()));
    for (float& pixel : pixels) pixel = random.normal(next++);
    s.media.push_back({grid, false, std::move(pixels)});
  }
  s.labels.assign(s.ids.size(), model::ignored_label);
  for (int i = 0; i < text; ++i) {
    s.ids.push_back(static_cast<int>(random.below(next++, static_cast<std::uint64_t>(vocab - 6))));
    s.labels.push_back(s.ids.back());
  }
  return model::pack(std::span(&s, 1), m);
}

}  // namespace vlmark::bench
