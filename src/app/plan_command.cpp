#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "src/app/commands.hpp"
#include "src/app/plan_task.hpp"
#include "src/app/text.hpp"
#include "src/base/error.hpp"
#include "src/model/generation_plan.hpp"

namespace vlmark::app {
namespace {

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
  const Task task = task_of(options, 1);
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
  if (options.ranks && *options.ranks < 1)
    throw ConfigError("--ranks: " + std::to_string(*options.ranks) +
                      " (at least 1 rank runs). Raise it");
  if (options.generate) return plan_answer(options);
  if (!options.machine.empty()) return plan_on_machine(options);
  if (!options.figure.empty() || !options.trace.empty())
    throw ConfigError(std::string(options.figure.empty() ? "--trace" : "--figure") +
                      ": no machine was given (a replay needs its rates). Add --machine");
  const int ranks = ranks_of(options);
  const Task task = task_of(options, ranks);
  const model::Qwen2VL model(task.model);
  const plan::Place place = plan::place_of(task.settings.layout, 0);
  const model::Qwen2VL shard(task.model,
                             model::shard_of(task.model, task.settings, task.steps, place));
  const model::MemoryPlan plan = model::plan_training(shard, task.settings, task.steps, 0);
  if (options.json) {
    nlohmann::json j{{"model", task.model.name},
                     {"parameters", model.table().size()},
                     {"ranks", ranks},
                     {"layout", to_string(task.settings.layout)},
                     {"precision", name_of(task.settings.type)},
                     {"arena_bytes", plan.arena_bytes},
                     {"flops", plan.flops.total()}};
    for (const auto& item : plan.items) j["bytes"][item.category] = item.bytes;
    if (plan.attention.bytes > 0)
      j["attention_scratch"] = {{"bytes", plan.attention.bytes},
                                {"bytes_in_any_order", plan.attention.bytes_in_any_order},
                                {"segments", plan.attention.segments},
                                {"longest", plan.attention.longest}};
    fmt::print("{}\n", j.dump());
    return static_cast<int>(ExitCode::ok);
  }
  const plan::Layout& grid = task.settings.layout;
  fmt::print("{}: {} parameters, {} over {} {}, {} micro-batches a step\n", task.model.name,
             with_commas(static_cast<double>(model.table().size())), name_of(task.settings.type),
             ranks,
             grid.data == ranks ? "data-parallel ranks (ZeRO-1)" : "ranks as " + to_string(grid),
             model::most_micro_batches(task.steps));
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
