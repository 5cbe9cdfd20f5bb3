#include "tests/engine/small_model.hpp"

#include "tests/support/random_data.hpp"

namespace vlmark::test {
namespace {

constexpr int kText = 150;  // ids below it are plain text

}  // namespace

plan::ModelConfig small_model() {
  plan::ModelConfig m;
  m.name = "small";
  m.hidden = 64;
  m.layers = 2;
  m.heads = 4;
  m.kv_heads = 2;
  m.intermediate = 88;
  m.vocab = 160;
  m.tied = true;
  m.mrope_section = {2, 3, 3};
  m.vision.depth = 2;
  m.vision.embed_dim = 64;
  m.vision.heads = 4;
  m.vision.mlp_ratio = 2;
  m.vision.patch_size = 6;
  m.bos_id = m.pad_id = 150;
  m.eos_id = 151;
  m.vision_start_id = 152;
  m.vision_end_id = 153;
  m.image_id = 154;
  m.video_id = 155;
  return m;
}

plan::ModelConfig small_untied_model() {
  plan::ModelConfig m = small_model();
  m.name = "small-untied";
  m.layers = 3;
  m.heads = 2;
  m.kv_heads = 1;
  m.intermediate = 72;
  m.tied = false;
  m.mrope_section = {4, 6, 6};
  m.vision.depth = 1;
  m.vision.embed_dim = 48;
  m.vision.heads = 2;
  return m;
}

model::Medium medium(const plan::ModelConfig& model, plan::Grid grid, bool video,
                     std::uint64_t seed) {
  const auto values = static_cast<std::size_t>(grid.patches() * model.vision.patch_values());
  return {grid, video, gaussian(values, seed)};
}

model::Sequence sequence(const plan::ModelConfig& model, int before,
                         const std::vector<model::Medium>& media, int after, bool supervise,
                         std::uint64_t seed) {
  model::Sequence s;
  s.ids = integers(static_cast<std::size_t>(before), seed, kText);
  for (const model::Medium& m : media) {
    s.ids.push_back(model.vision_start_id);
    s.ids.insert(s.ids.end(), static_cast<std::size_t>(m.grid.merged(model.vision.merge_size)),
                 m.video ? model.video_id : model.image_id);
    s.ids.push_back(model.vision_end_id);
  }
  s.labels.assign(s.ids.size(), model::ignored_label);
  const std::vector<int> text = integers(static_cast<std::size_t>(after), seed + 1000, kText);
  s.ids.insert(s.ids.end(), text.begin(), text.end());
  if (supervise)
    s.labels.insert(s.labels.end(), text.begin(), text.end());
  else
    s.labels.resize(s.ids.size(), model::ignored_label);
  s.media = media;
  return s;
}

std::vector<model::MicroBatch> six_micro_batches(const plan::ModelConfig& m) {
  const auto batch = [&m](const std::vector<model::Sequence>& sequences) {
    return model::pack(sequences, m);
  };
  const model::Medium picture = medium(m, {1, 4, 6}, false, 21),
                      tiny = medium(m, {1, 2, 2}, false, 22),
                      video = medium(m, {3, 4, 2}, true, 23);
  return {batch({sequence(m, 5, {}, 12, true, 1)}),
          batch({sequence(m, 3, {picture}, 9, true, 2)}),
          batch({sequence(m, 1, {tiny, picture}, 4, true, 3)}),
          batch({sequence(m, 2, {video}, 7, true, 4)}),
          batch({sequence(m, 1, {}, 6, true, 5), sequence(m, 0, {tiny, video}, 3, true, 6),
                 sequence(m, 8, {}, 1, true, 7)}),
          batch({sequence(m, 4, {}, 5, false, 8)})};
}

}  // namespace vlmark::test
