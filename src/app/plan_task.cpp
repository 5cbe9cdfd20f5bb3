#include "src/app/plan_task.hpp"

#include <filesystem>
#include <memory>

#include "src/base/error.hpp"
#include "src/config/pictures.hpp"
#include "src/config/run_config.hpp"
#include "src/data/patches.hpp"
#include "src/io/hf_config.hpp"
#include "src/recipe/caption_data.hpp"
#include "src/recipe/run_settings.hpp"
#include "src/recipe/sample_order.hpp"
#include "src/recipe/synthetic_data.hpp"

namespace vlmark::app {
namespace {

data::ImageSize picture_size(const std::string& text) {
  const auto size = config::picture_size(text);
  if (!size)
    throw ConfigError("--picture: '" + text + "' is no size. Write WIDTHxHEIGHT, e.g. 448x448");
  return {size->height, size->width};
}

Task task_of_model(const PlanOptions& options, int ranks) {
  Task task;
  task.model = std::filesystem::is_directory(options.model)
                   ? io::read_hf_config(options.model + "/config.json")
                   : plan::model_preset(options.model);
  if (options.precision != "bf16" && options.precision != "fp32")
    throw ConfigError("--precision: '" + options.precision + "' is not known. Use fp32 or bf16");
  if (options.text_tokens < 1)
    throw ConfigError("--text-tokens: " + std::to_string(options.text_tokens) +
                      " (a micro-batch holds a sequence of at least 1). Raise it");
  task.settings.type = options.precision == "fp32" ? DType::f32 : DType::bf16;
  const config::ParallelSection defaults;
  task.settings.bucket_elements = defaults.bucket_elements;
  task.settings.segments = defaults.segments;
  task.settings.overlap = {defaults.overlap_reduce, defaults.overlap_gather,
                           defaults.early_messages};
  task.settings.deterministic = !options.any_order;
  task.settings.device_transport = kDeviceTransport;
  if (options.attention == "cudnn") {
    if (task.settings.type != DType::bf16)
      throw ConfigError("--attention: cudnn with --precision " + options.precision +
                        " (cuDNN has no attention of fp32). Use --precision bf16, or own");
    task.settings.attention = AttentionBackend::cudnn;
  }
  plan::MicroBatchShape shape;
  int vision = 0;
  for (const std::string& text : options.pictures) {
    shape.media.push_back(data::preprocessed_grid(1, picture_size(text), {}, task.model.vision));
    vision += shape.media.back().merged(task.model.vision.merge_size);
  }
  shape.sequences = {options.text_tokens + vision};
  shape.supervised = options.text_tokens - 1;
  const int micro_batches = options.micro_batches > 0 ? options.micro_batches : ranks;
  task.steps.emplace_back(static_cast<std::size_t>(micro_batches), shape);
  return task;
}

config::RunConfig config_of(const PlanOptions& options) {
  std::vector<std::string> overrides = options.set;
  if (!options.layout.empty()) overrides.push_back("parallel.layout=" + options.layout);
  if (options.attention != "own") overrides.push_back("train.attention=" + options.attention);
  if (options.any_order) overrides.push_back("train.deterministic=false");
  return config::load(options.config, overrides);
}

Task task_of_config(const config::RunConfig& config, int ranks) {
  Task task;
  const auto seed = static_cast<std::uint64_t>(config.model.seed);
  std::unique_ptr<recipe::TrainingData> data;
  if (config.data.kind == config::DataKind::synthetic) {
    task.model = recipe::model_of(config.model);
    data = std::make_unique<recipe::SyntheticData>(config.data, task.model, seed);
  } else {
    data::Tokenizer tokenizer = data::Tokenizer::from_folder(config.data.tokenizer);
    task.model = recipe::model_of(config.model, tokenizer);
    data = std::make_unique<recipe::CaptionData>(config.data, task.model, std::move(tokenizer));
  }
  task.settings = recipe::training_settings(config, task.model, ranks);
  const recipe::SampleOrder order(data->size(), config.train.micro_batches,
                                  config.train.micro_batch_samples, seed);
  for (int step = 0; step < config.train.steps; ++step) {
    task.steps.emplace_back();
    for (int m = 0; m < config.train.micro_batches; ++m)
      task.steps.back().push_back(data->shape(order.micro_batch(step, m)));
  }
  return task;
}

}  // namespace

std::string layout_of(const PlanOptions& options) {
  if (options.config.empty() || !options.layout.empty()) return options.layout;
  return config_of(options).parallel.layout;
}

int ranks_of(const PlanOptions& options) {
  if (options.ranks) return *options.ranks;
  const std::string layout = layout_of(options);
  return layout.empty() ? 1 : plan::parse_layout(layout).ranks();
}

Task task_of(const PlanOptions& options, int ranks) {
  if (!options.config.empty()) return task_of_config(config_of(options), ranks);
  Task task = task_of_model(options, ranks);
  task.settings.layout.data = ranks;
  if (options.layout.empty()) return task;
  task.settings.layout = plan::parse_layout(options.layout);
  std::string text;
  for (const std::string& problem : plan::problems(task.settings.layout, task.model, ranks,
                                                   model::most_micro_batches(task.steps)))
    text += (text.empty() ? "" : "\n") + problem;
  if (!text.empty()) throw ConfigError(text);
  return task;
}

Task task_of_any_layout(const PlanOptions& options, int ranks) {
  if (options.config.empty()) return task_of_model(options, ranks);
  config::RunConfig config = config_of(options);
  config.parallel.layout.clear();
  return task_of_config(config, 1);
}

}  // namespace vlmark::app
