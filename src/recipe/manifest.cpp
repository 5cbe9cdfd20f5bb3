#include "src/recipe/manifest.hpp"

#include <nlohmann/json.hpp>

#include "src/base/error.hpp"
#include "src/config/run_config.hpp"
#include "src/recipe/sample_order.hpp"
#include "src/recipe/training_data.hpp"

namespace vlmark::recipe {
namespace {

using nlohmann::ordered_json;

/// The numbers of a model, one list for both ways: visit(key, value).
template <class Model, class Visit>
void visit_model(Model& m, const Visit& visit) {
  visit("hidden", m.hidden);
  visit("layers", m.layers);
  visit("heads", m.heads);
  visit("kv_heads", m.kv_heads);
  visit("intermediate", m.intermediate);
  visit("vocab", m.vocab);
  visit("tied", m.tied);
  visit("rms_norm_eps", m.rms_norm_eps);
  visit("rope_theta", m.rope_theta);
  visit("mrope_section", m.mrope_section);
  visit("vision_depth", m.vision.depth);
  visit("vision_embed_dim", m.vision.embed_dim);
  visit("vision_heads", m.vision.heads);
  visit("vision_mlp_ratio", m.vision.mlp_ratio);
  visit("vision_in_channels", m.vision.in_channels);
  visit("vision_patch_size", m.vision.patch_size);
  visit("vision_temporal_patch_size", m.vision.temporal_patch_size);
  visit("vision_merge_size", m.vision.merge_size);
  visit("vision_norm_eps", m.vision.norm_eps);
}

template <class Anything, class Visit>
void visit_rest(Anything& m, const Visit& visit) {
  visit("trains_vit", m.trainable.vit);
  visit("trains_merger", m.trainable.merger);
  visit("trains_llm", m.trainable.llm);
  visit("seed", m.seed);
  visit("micro_batches", m.micro_batches);
  visit("micro_batch_samples", m.micro_batch_samples);
}

}  // namespace

std::vector<plan::MicroBatchShape> Manifest::step(int index) const {
  const SampleOrder order(static_cast<int>(samples.size()), micro_batches, micro_batch_samples,
                          seed);
  std::vector<plan::MicroBatchShape> shapes(static_cast<std::size_t>(micro_batches));
  for (int m = 0; m < micro_batches; ++m) {
    plan::MicroBatchShape& shape = shapes[static_cast<std::size_t>(m)];
    for (const int i : order.micro_batch(index, m)) {
      const Sample& sample = samples[static_cast<std::size_t>(i)];
      shape.sequences.push_back(sample.tokens);
      shape.media.insert(shape.media.end(), sample.media.begin(), sample.media.end());
      shape.supervised += sample.supervised;
    }
  }
  return shapes;
}

Manifest manifest_of(const config::RunConfig& config, const plan::ModelConfig& model,
                     const TrainingData& data) {
  const config::TrainSection& train = config.train;
  Manifest manifest;
  manifest.model = model;
  manifest.trainable = plan::Trainable::stage(train.stage, train.trains_merger());
  manifest.seed = static_cast<std::uint64_t>(config.model.seed);
  manifest.micro_batches = train.micro_batches;
  manifest.micro_batch_samples = train.micro_batch_samples;
  if (config.data.kind == config::DataKind::synthetic) manifest.data = "synthetic";
  for (int i = 0; i < data.size(); ++i) {
    const plan::MicroBatchShape shape = data.shape({i});
    manifest.samples.push_back(
        {static_cast<int>(shape.tokens()), shape.supervised, shape.media, data.picture_sizes(i)});
  }
  return manifest;
}

std::string to_json(const Manifest& manifest) {
  ordered_json json;
  visit_model(manifest.model,
              [&](const char* key, const auto& value) { json["model"][key] = value; });
  visit_rest(manifest, [&](const char* key, const auto& value) { json[key] = value; });
  if (!manifest.data.empty()) json["data"] = manifest.data;
  json["samples"] = ordered_json::array();
  for (const Manifest::Sample& sample : manifest.samples) {
    ordered_json media = ordered_json::array(), pictures = ordered_json::array();
    for (const plan::Grid& grid : sample.media) media.push_back({grid.t, grid.h, grid.w});
    for (const data::ImageSize& size : sample.pictures)
      pictures.push_back({size.height, size.width});
    json["samples"].push_back({{"tokens", sample.tokens},
                               {"supervised", sample.supervised},
                               {"media", media},
                               {"pictures", pictures}});
  }
  return json.dump();
}

Manifest parse_manifest(std::string_view text, const std::string& where) try {
  const auto json = ordered_json::parse(text);
  Manifest manifest;
  visit_model(manifest.model,
              [&](const char* key, auto& value) { json.at("model").at(key).get_to(value); });
  visit_rest(manifest, [&](const char* key, auto& value) { json.at(key).get_to(value); });
  manifest.data = json.value("data", "");
  for (const auto& entry : json.at("samples")) {
    Manifest::Sample sample{entry.at("tokens"), entry.at("supervised"), {}, {}};
    for (const auto& grid : entry.at("media"))
      sample.media.push_back({grid.at(0), grid.at(1), grid.at(2)});
    for (const auto& size : entry.at("pictures"))
      sample.pictures.push_back({size.at(0), size.at(1)});
    manifest.samples.push_back(std::move(sample));
  }
  if (manifest.samples.empty() || manifest.micro_batches < 1 || manifest.micro_batch_samples < 1)
    throw IoError(where + ": the manifest holds no work. Restore the record, or run again");
  return manifest;
} catch (const nlohmann::json::exception& e) {
  throw IoError(where + ": the manifest is not as a run writes it: " + e.what() +
                ". Restore the record, or run again");
}

}  // namespace vlmark::recipe
