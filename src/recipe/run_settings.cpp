#include "src/recipe/run_settings.hpp"

#include "src/io/hf_config.hpp"

namespace vlmark::recipe {

plan::ModelConfig model_of(const config::ModelSection& model) {
  return model.folder.empty() ? plan::model_preset(model.preset)
                              : io::read_hf_config(model.folder + "/config.json");
}

model::TrainingSettings training_settings(const config::RunConfig& config) {
  const config::TrainSection& t = config.train;
  model::TrainingSettings settings;
  settings.type = config.model.precision;
  settings.trainable = {t.trains_vit(), t.trains_merger(), t.trains_llm()};
  settings.recompute = {config.recompute.norms, config.recompute.activation};
  settings.deterministic = t.deterministic;
  settings.attention = t.attention;
  settings.device_transport = kDeviceTransport;
  settings.bucket_elements = config.parallel.bucket_elements;
  settings.optimizer = {t.beta1, t.beta2, t.eps, t.weight_decay, t.clip_norm};
  return settings;
}

}  // namespace vlmark::recipe
