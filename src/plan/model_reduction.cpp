#include "src/plan/model_reduction.hpp"

#include "src/base/error.hpp"

namespace vlmark::plan {
namespace {

/// The tokens that the model's arithmetic and its documents know, in the order of their ids.
void move_special_tokens(ModelConfig& m) {
  int row = m.vocab - 6;
  for (int* id :
       {&m.pad_id, &m.eos_id, &m.vision_start_id, &m.vision_end_id, &m.image_id, &m.video_id})
    *id = row++;
  m.bos_id = m.pad_id;  // as in every preset
}

}  // namespace

ModelConfig reduced(ModelConfig model, const Reduction& reduction) {
  const auto keep = [&model](int& size, int wanted, const char* key, const char* what) {
    if (wanted > size)
      throw ConfigError(std::string(key) + ": " + std::to_string(wanted) + " is above the " +
                        std::to_string(size) + " " + what + " of " + model.name +
                        " (a larger model is another one). Use a larger preset or fewer");
    if (wanted == 0 || wanted == size) return false;
    model.name += "-" + std::to_string(wanted) + "of" + std::to_string(size) + "-" + what;
    size = wanted;
    return true;
  };
  keep(model.layers, reduction.layers, "model.layers", "layers");
  keep(model.vision.depth, reduction.vision_depth, "model.vision_depth", "blocks");
  if (!keep(model.vocab, reduction.vocabulary, "model.vocabulary", "tokens")) return model;
  if (model.vocab < 128)
    throw ConfigError("model.vocabulary: " + std::to_string(model.vocab) +
                      " is below 128 (text and special tokens need as many). Raise it");
  move_special_tokens(model);
  return model;
}

}  // namespace vlmark::plan
