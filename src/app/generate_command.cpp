#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "src/app/commands.hpp"
#include "src/base/clock.hpp"
#include "src/base/error.hpp"
#include "src/base/isa.hpp"
#include "src/base/memory.hpp"
#include "src/data/image.hpp"
#include "src/data/patches.hpp"
#include "src/data/question.hpp"
#include "src/data/tokenizer.hpp"
#include "src/engine/device.hpp"
#include "src/engine/kernel_choice.hpp"
#include "src/infer/greedy.hpp"
#include "src/io/checkpoint.hpp"
#include "src/io/hf_config.hpp"
#include "src/io/hf_processing.hpp"
#include "src/io/model_folder.hpp"
#include "src/model/generation_plan.hpp"
#include "src/plan/misfit.hpp"
#include "src/recipe/caption_data.hpp"

namespace vlmark::app {
namespace {

namespace fs = std::filesystem;

DType precision_of(const GenerateOptions& options) {
  if (options.precision == "fp32") return DType::f32;
  if (options.precision == "bf16") return DType::bf16;
  return io::stored_precision(io::Checkpoint(options.model));
}

/// The picture as the model's folder asks for it; the error of an impossible size names the file.
data::PatchMatrix patches_of(const GenerateOptions& options, const plan::VisionConfig& vision) {
  const fs::path file = fs::path(options.model) / "preprocessor_config.json";
  const io::PreprocessorConfig p =
      fs::exists(file) ? io::read_preprocessor_config(file, vision) : io::PreprocessorConfig{};
  const data::Image picture = data::read_image(options.image);
  try {
    return data::preprocess(std::span(&picture, 1),
                            {static_cast<double>(p.min_pixels), static_cast<double>(p.max_pixels)},
                            vision, {.mean = p.mean, .deviation = p.std});
  } catch (const ValueError& e) {
    throw ValueError(options.image + ": " + e.what());
  }
}

model::Sequence prompt_of(const GenerateOptions& options, const plan::ModelConfig& model,
                          const data::Tokenizer& tokenizer) {
  model::Sequence sequence;
  std::vector<plan::Grid> grids;
  if (!options.image.empty()) {
    data::PatchMatrix patches = patches_of(options, model.vision);
    grids.push_back(patches.grid);
    sequence.media.push_back({patches.grid, /*video=*/false, std::move(patches.values)});
  }
  sequence.ids = data::encode_question(tokenizer, grids, options.prompt, model.vision.merge_size);
  sequence.labels.assign(sequence.ids.size(), model::ignored_label);
  return sequence;
}

/// Tokens a second after the first one; 0 where there is none.
double decode_rate(const infer::Generation& result) {
  const auto ns = static_cast<double>(result.total_ns - result.first_token_ns);
  // A stop token was computed, too.
  const auto after_first = static_cast<double>(result.tokens.size()) + (result.stopped ? 0 : -1);
  return after_first > 0 ? after_first / (ns * 1e-9) : 0;
}

/// Before anything is allocated. Throws ConfigError.
void require_memory(const model::GenerationPlan& plan) {
  const std::int64_t available = engine::available_bytes();
  if (available == 0) return;
  const std::string problem =
      plan::misfit("generate",
                   {{"weights", plan.parameter_bytes},
                    {"keys and values", plan.cache_bytes},
                    {"activations of the prompt", plan.answer_bytes - plan.cache_bytes}},
                   static_cast<double>(available));
  if (!problem.empty()) throw ConfigError(problem);
}

int generate(const GenerateOptions& options) {
  const fs::path folder = options.model;
  const plan::ModelConfig config = io::read_hf_config(folder / "config.json");
  const io::GenerationConfig generation =
      fs::exists(folder / "generation_config.json")
          ? io::read_generation_config(folder / "generation_config.json", config)
          : io::generation_config_of(config);
  const data::Tokenizer tokenizer = data::Tokenizer::from_folder(folder);
  recipe::require_same_vision_tokens(tokenizer, config);
  const model::Qwen2VL model(config);
  const model::Sequence prompt = prompt_of(options, config, tokenizer);
  const DType type = precision_of(options);
  const model::GenerationPlan plan =
      model::plan_generation(model, type, model::pack(std::span(&prompt, 1), config),
                             static_cast<long>(prompt.ids.size()) + options.max_new_tokens);
  require_memory(plan);
  const std::int64_t planned_peak =
      resident_bytes() + engine::kernel_scratch_bytes() + plan.bytes();
  const std::int64_t start = monotonic_ns();
  const auto engine = engine::make_inference_engine(model, type);
  engine->set_parameters(io::read_weights(folder, model.table()));
  const double load = static_cast<double>(monotonic_ns() - start) * 1e-9;
  infer::Generation result =
      infer::generate_greedy(*engine, prompt, config, options.max_new_tokens, generation.eos_ids);
  // Rows of the embedding beyond the tokenizer stand for no text.
  std::erase_if(result.tokens, [&](int id) { return id >= tokenizer.vocab_size(); });
  const std::string answer = tokenizer.decode(result.tokens, /*skip_special=*/true);
  const double first = static_cast<double>(result.first_token_ns) * 1e-9,
               total = static_cast<double>(result.total_ns) * 1e-9;
  const double rate = decode_rate(result);
  const std::int64_t peak = peak_resident_bytes();
  if (options.json) {
    const nlohmann::json j{{"answer", answer},
                           {"tokens", result.tokens},
                           {"prompt_tokens", prompt.ids.size()},
                           {"stopped", result.stopped},
                           {"first_token_s", first},
                           {"total_s", total},
                           {"load_s", load},
                           {"decode_tokens_per_s", rate},
                           {"planned_peak_bytes", planned_peak},
                           {"peak_bytes", peak},
                           {"precision", name_of(type)},
                           {"instruction_set", instruction_set()}};
    fmt::print("{}\n", j.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    fmt::print("{}\n", answer);
    fmt::print(
        stderr,
        "{} prompt tokens, first token {:.2f} s, {} tokens in {:.2f} s, then {:.2f} tokens/s "
        "({}, {}){}\n",
        prompt.ids.size(), first, result.tokens.size(), total, rate, name_of(type),
        instruction_set(), result.stopped ? "" : ", ended by --max-new-tokens");
    fmt::print(stderr, "weights loaded in {:.2f} s; peak memory {:.3f} GB, planned {:.3f} GB\n",
               load, static_cast<double>(peak) * 1e-9, static_cast<double>(planned_peak) * 1e-9);
  }
  return static_cast<int>(ExitCode::ok);
}

}  // namespace

int generate_command(int /*argc*/, char** /*argv*/, const GenerateOptions& options) {
  const engine::Device device;
  return generate(options);
}

}  // namespace vlmark::app
