#include "src/verification/verification_size.hpp"

#include <nlohmann/json.hpp>

#include "src/base/contracts.hpp"
#include "src/base/philox.hpp"

namespace vlmark::verification {
namespace {

constexpr int kText = 480;  // ids below it are plain text

struct Part {
  int before;  ///< text tokens
  bool video;
  plan::Grid grid;  ///< of patches; no patches: no medium
  int after;        ///< supervised text tokens
};
constexpr int kNone = 0;

}  // namespace

plan::ModelConfig verification_model(bool tied) {
  plan::ModelConfig m;
  m.name = "verification";
  m.hidden = 256;
  m.layers = 2;
  m.heads = 2;
  m.kv_heads = 1;
  m.intermediate = 384;
  m.vocab = 512;
  m.tied = tied;
  m.vision.depth = 2;
  m.vision.embed_dim = 160;
  m.vision.heads = 2;
  m.bos_id = m.pad_id = kText;
  m.eos_id = kText + 1;
  m.vision_start_id = kText + 2;
  m.vision_end_id = kText + 3;
  m.image_id = kText + 4;
  m.video_id = kText + 5;
  return m;
}

std::vector<model::MicroBatch> verification_batches(const plan::ModelConfig& model,
                                                    std::uint64_t seed) {
  const Part parts[] = {
      {4, false, {kNone, kNone, kNone}, 12}, {3, false, {1, 4, 6}, 10}, {2, true, {2, 4, 4}, 8}};
  std::uint64_t used = 0;
  int media = 0;
  const Philox text(seed, "verification.text");
  const auto next_id = [&] { return static_cast<int>(text.below(used++, kText)); };
  std::vector<model::Sequence> sequences;
  for (const Part& part : parts) {
    model::Sequence s;
    for (int i = 0; i < part.before; ++i) s.ids.push_back(next_id());
    if (part.grid.t != kNone) {
      s.ids.push_back(model.vision_start_id);
      s.ids.insert(s.ids.end(), static_cast<std::size_t>(part.grid.merged(model.vision.merge_size)),
                   part.video ? model.video_id : model.image_id);
      s.ids.push_back(model.vision_end_id);
      const Philox pixels(seed, "verification.pixels." + std::to_string(media++));
      std::vector<float> values(
          static_cast<std::size_t>(part.grid.patches() * model.vision.patch_values()));
      for (std::size_t i = 0; i < values.size(); ++i) values[i] = pixels.normal(i);
      s.media.push_back({part.grid, part.video, std::move(values)});
    }
    s.labels.assign(s.ids.size(), model::ignored_label);
    for (int i = 0; i < part.after; ++i) {
      s.ids.push_back(next_id());
      s.labels.push_back(s.ids.back());
    }
    sequences.push_back(std::move(s));
  }
  const std::span<const model::Sequence> all(sequences);
  return {model::pack(all.first(2), model), model::pack(all.subspan(2), model)};
}

plan::TensorFill lively_weights(std::uint64_t seed) {
  return [seed, initial = plan::initial_weights(seed)](const plan::LogicalTensor& tensor,
                                                       long first, std::span<float> values) {
    initial(tensor, first, values);
    if (tensor.decays()) return;
    const Philox random(seed, "lively " + tensor.name);
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] += 0.1f * random.normal(static_cast<std::uint64_t>(first) + i);
  };
}

StoredTrajectory read_stored_trajectory(bool tied) {
  const auto stored = nlohmann::json::parse(stored_trajectory());
  StoredTrajectory t;
  t.seed = stored.at("seed");
  t.learning_rate = stored.at("learning_rate");
  t.optimizer = {stored.at("beta1"), stored.at("beta2"), stored.at("eps"),
                 stored.at("weight_decay"), stored.at("clip_norm")};
  for (const auto& model : stored.at("models")) {
    if (model.at("tied") != tied) continue;
    t.losses = model.at("losses").get<std::vector<double>>();
    t.grad_norms = model.at("grad_norms").get<std::vector<double>>();
    t.tensor_norms = model.at("tensor_norms").get<std::map<std::string, double>>();
  }
  ensures(!t.losses.empty() && t.losses.size() == t.grad_norms.size());
  return t;
}

}  // namespace vlmark::verification
