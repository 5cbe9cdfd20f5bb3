#include "src/recipe/run_settings.hpp"

#include "src/base/error.hpp"
#include "src/io/hf_config.hpp"
#include "src/plan/model_reduction.hpp"
#include "src/recipe/caption_data.hpp"

namespace vlmark::recipe {

plan::ModelConfig model_of(const config::ModelSection& model) {
  if (!model.folder.empty()) return io::read_hf_config(model.folder + "/config.json");
  return plan::reduced(plan::model_preset(model.preset),
                       {model.layers, model.vision_depth, model.vocabulary});
}

plan::ModelConfig model_of(const config::ModelSection& model, const data::Tokenizer& tokenizer) {
  plan::ModelConfig found = model_of(model);
  if (model.folder.empty()) adopt_special_tokens(tokenizer, found);
  return found;
}

model::TrainingSettings training_settings(const config::RunConfig& config,
                                          const plan::ModelConfig& model, int ranks) {
  const config::TrainSection& t = config.train;
  const config::ParallelSection& p = config.parallel;
  model::TrainingSettings settings;
  settings.type = config.model.precision;
  settings.trainable = {t.trains_vit(), t.trains_merger(), t.trains_llm()};
  const config::RecomputeSection& r = config.recompute;
  settings.recompute = {r.norms, r.activation, r.up_projection, r.attention, r.layer};
  settings.deterministic = t.deterministic;
  settings.attention = t.attention;
  settings.device_transport = kDeviceTransport;
  settings.bucket_elements = p.bucket_elements;
  settings.segments = p.segments;
  settings.overlap = {p.overlap_reduce, p.overlap_gather, p.early_messages};
  if (p.shared_parameters == config::SharedParameters::offline)
    settings.average_every = p.offline_interval;
  settings.broadcast_shapes = p.shapes == config::Shapes::broadcast;
  if (p.layout.empty())
    settings.layout.data = ranks;
  else
    settings.layout = plan::parse_layout(p.layout);
  std::vector<std::string> problems =
      plan::problems(settings.layout, model, ranks, t.micro_batches);
  const std::string replicas = std::to_string(settings.layout.data);
  if (t.micro_batches < settings.layout.data)
    problems.push_back("train.micro_batches: " + std::to_string(t.micro_batches) +
                       " micro-batches of a step cannot feed " + replicas +
                       " replicas (some would have no work). Use at least " + replicas +
                       ", or a layout of fewer replicas");
  std::string text;
  for (const std::string& problem : problems) text += (text.empty() ? "" : "\n") + problem;
  if (!text.empty()) throw ConfigError(text);
  settings.optimizer = {t.beta1,
                        t.beta2,
                        t.eps,
                        t.weight_decay,
                        t.clip_norm,
                        config.optimizer.state,
                        static_cast<std::uint64_t>(config.model.seed)};
  return settings;
}

}  // namespace vlmark::recipe
