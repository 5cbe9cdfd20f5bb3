#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "src/app/commands.hpp"
#include "src/app/text.hpp"
#include "src/base/error.hpp"
#include "src/config/run_config.hpp"
#include "src/data/patches.hpp"
#include "src/io/hf_config.hpp"
#include "src/model/generation_plan.hpp"
#include "src/recipe/caption_data.hpp"
#include "src/recipe/run_settings.hpp"
#include "src/recipe/sample_order.hpp"

namespace vlmark::app {
namespace {

/// What is planned: a model, its arithmetic and the micro-batches of every step.
struct Task {
  plan::ModelConfig model;
  model::TrainingSettings settings;
  model::Steps steps;
};

data::ImageSize picture_size(const std::string& text) {
  int width = 0, height = 0;
  char after = 0;
  if (std::sscanf(text.c_str(), "%dx%d%c", &width, &height, &after) != 2 || width < 1 || height < 1)
    throw ConfigError("--picture: '" + text + "' is no size. Write WIDTHxHEIGHT, e.g. 448x448");
  return {height, width};
}

Task task_of_model(const PlanOptions& options) {
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
  task.settings.bucket_elements = config::ParallelSection{}.bucket_elements;
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
  const int micro_batches = options.micro_batches > 0 ? options.micro_batches : options.ranks;
  task.steps.emplace_back(static_cast<std::size_t>(micro_batches), shape);
  return task;
}

Task task_of_config(const PlanOptions& options) {
  std::vector<std::string> overrides = options.set;
  if (options.attention != "own") overrides.push_back("train.attention=" + options.attention);
  if (options.any_order) overrides.push_back("train.deterministic=false");
  const config::RunConfig config = config::load(options.config, overrides);
  Task task;
  const data::Tokenizer tokenizer = data::Tokenizer::from_folder(config.data.tokenizer);
  task.model = recipe::model_of(config.model, tokenizer);
  task.settings = recipe::training_settings(config, task.model, options.ranks);
  const recipe::CaptionData data(config.data, task.model, tokenizer);
  const recipe::SampleOrder order(data.size(), config.train.micro_batches,
                                  config.train.micro_batch_samples,
                                  static_cast<std::uint64_t>(config.model.seed));
  for (int step = 0; step < config.train.steps; ++step) {
    task.steps.emplace_back();
    for (int m = 0; m < config.train.micro_batches; ++m)
      task.steps.back().push_back(data.shape(order.micro_batch(step, m)));
  }
  return task;
}

std::string gigabytes(double bytes) { return fmt::format("{:10.3f} GB", bytes * 1e-9); }

void print_flops(const plan::Flops& flops) {
  for (int part = 0; part < kParts; ++part)
    if (const auto sum = flops.gemm[part] + flops.attention[part])
      fmt::print("  {:<12} {:10.4f} TFLOP\n", name_of(static_cast<Part>(part)),
                 static_cast<double>(sum) * 1e-12);
}

/// What cuDNN wants within the activations, and what of it a fixed order of sums costs.
void print_attention_scratch(const model::AttentionScratch& scratch) {
  if (scratch.bytes == 0) return;
  fmt::print("largest scratch of attention by cuDNN, part of the activations:\n  {:<12} {}\n",
             "attention", gigabytes(static_cast<double>(scratch.bytes)));
  if (scratch.bytes > scratch.bytes_in_any_order)
    fmt::print(
        "  (its deterministic backward pass stores the score gradients of {} segments as if each "
        "were {} long;\n  in any order it wants {:.3f} GB. Shorter or fewer segments in a "
        "micro-batch, train.attention = \"own\"\n  or train.deterministic = false take less)\n",
        scratch.segments, scratch.longest, static_cast<double>(scratch.bytes_in_any_order) * 1e-9);
}

int plan_answer(const PlanOptions& options) {
  if (!options.config.empty())
    throw ConfigError("--generate: a run description was given (" + options.config +
                      "), which trains. Give --model, --text-tokens and --picture");
  if (options.attention != "own")
    throw ConfigError("--attention: " + options.attention +
                      " with --generate (answers run on the own kernel). Leave it out");
  if (options.max_new_tokens < 1)
    throw ConfigError("--max-new-tokens: " + std::to_string(options.max_new_tokens) +
                      " (an answer has at least 1). Raise it");
  const Task task = task_of_model(options);
  const model::Qwen2VL model(task.model);
  plan::MicroBatchShape shape = task.steps.front().front();
  shape.supervised = 0;
  const model::GenerationPlan plan =
      model::plan_generation(model, task.settings.type, model::blank(shape, task.model),
                             shape.tokens() + options.max_new_tokens);
  const std::int64_t activations = plan.answer_bytes - plan.cache_bytes;
  if (options.json) {
    const nlohmann::json j{{"model", task.model.name},
                           {"parameters", model.table().size()},
                           {"precision", name_of(task.settings.type)},
                           {"prompt_tokens", shape.tokens()},
                           {"bytes",
                            {{"parameters", plan.parameter_bytes},
                             {"cache", plan.cache_bytes},
                             {"activations", activations}}},
                           {"flops", plan.prefill.total()}};
    fmt::print("{}\n", j.dump());
    return static_cast<int>(ExitCode::ok);
  }
  fmt::print("{}: {} parameters, {}, {} prompt tokens, at most {} new ones\nbytes:\n",
             task.model.name, with_commas(static_cast<double>(model.table().size())),
             name_of(task.settings.type), shape.tokens(), options.max_new_tokens);
  for (const auto& [name, bytes] :
       {std::pair("parameters", plan.parameter_bytes), std::pair("cache", plan.cache_bytes),
        std::pair("activations", activations)})
    fmt::print("  {:<12} {}\n", name, gigabytes(static_cast<double>(bytes)));
  fmt::print("model FLOPs until the first token:\n");
  print_flops(plan.prefill);
  return static_cast<int>(ExitCode::ok);
}

}  // namespace

int plan_command(const PlanOptions& options) {
  if (options.ranks < 1)
    throw ConfigError("--ranks: " + std::to_string(options.ranks) +
                      " (at least 1 rank runs). Raise it");
  if (options.generate) return plan_answer(options);
  Task task = options.config.empty() ? task_of_model(options) : task_of_config(options);
  const model::Qwen2VL model(task.model);
  if (options.config.empty()) task.settings.layout.data = options.ranks;
  const plan::Place place = plan::place_of(task.settings.layout, 0);
  const model::Qwen2VL shard(task.model,
                             model::shard_of(task.model, task.settings, task.steps, place));
  const model::MemoryPlan plan = model::plan_training(shard, task.settings, task.steps, 0);
  if (options.json) {
    nlohmann::json j{{"model", task.model.name},        {"parameters", model.table().size()},
                     {"ranks", options.ranks},          {"precision", name_of(task.settings.type)},
                     {"arena_bytes", plan.arena_bytes}, {"flops", plan.flops.total()}};
    for (const auto& item : plan.items) j["bytes"][item.category] = item.bytes;
    if (plan.attention.bytes > 0)
      j["attention_scratch"] = {{"bytes", plan.attention.bytes},
                                {"bytes_in_any_order", plan.attention.bytes_in_any_order},
                                {"segments", plan.attention.segments},
                                {"longest", plan.attention.longest}};
    fmt::print("{}\n", j.dump());
    return static_cast<int>(ExitCode::ok);
  }
  fmt::print(
      "{}: {} parameters, {} over {} data-parallel ranks (ZeRO-1), {} micro-batches a step\n",
      task.model.name, with_commas(static_cast<double>(model.table().size())),
      name_of(task.settings.type), options.ranks, model::most_micro_batches(task.steps));
  fmt::print("bytes of rank 0:\n");
  for (const auto& item : plan.items)
    fmt::print("  {:<12} {}\n", item.category, gigabytes(static_cast<double>(item.bytes)));
  fmt::print("  {:<12} {}\n", "arena", gigabytes(static_cast<double>(plan.arena_bytes)));
  print_attention_scratch(plan.attention);
  fmt::print("model FLOPs of rank 0 in {} steps:\n", task.steps.size());
  print_flops(plan.flops);
  return static_cast<int>(ExitCode::ok);
}

}  // namespace vlmark::app
