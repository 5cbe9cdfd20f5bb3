// Times whole training steps at the widths of a published model, with fewer blocks and a smaller
// vocabulary, so that two builds can be held against each other in minutes (bench/compare_builds).

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <Kokkos_Core.hpp>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

#include "parallel/self_communicator.hpp"
#include "src/base/clock.hpp"
#include "src/base/error.hpp"
#include "src/base/isa.hpp"
#include "src/base/philox.hpp"
#include "src/data/patches.hpp"
#include "src/engine/training_engine.hpp"

namespace {

using namespace vlmark;

struct Options {
  std::string model = "2B", precision = "fp32";
  int layers = 2, vision_blocks = 2, vocab = 10880;
  int text = 512, steps = 3;
  std::vector<std::string> pictures;
};

plan::ModelConfig shallow_model(const Options& o) {
  plan::ModelConfig m = plan::model_preset(o.model);
  m.layers = o.layers;
  m.vision.depth = o.vision_blocks;
  m.vocab = o.vocab;
  // The last ids of the smaller vocabulary stand for the special tokens.
  int id = o.vocab;
  for (int* special :
       {&m.bos_id, &m.eos_id, &m.vision_start_id, &m.vision_end_id, &m.image_id, &m.video_id})
    *special = --id;
  m.pad_id = m.bos_id;
  std::string all;
  for (const std::string& problem : plan::problems(m)) all += "\n  " + problem;
  if (!all.empty()) throw ConfigError("vlmark_step: this model cannot be made:" + all);
  return m;
}

/// The pictures, then the text; all of the text is supervised. Pixels and ids are random.
model::MicroBatch random_batch(const Options& o, const plan::ModelConfig& m) {
  const Philox random(1, "bench::step");
  std::uint64_t next = 0;
  model::Sequence s;
  for (const std::string& text : o.pictures) {
    data::ImageSize size{};
    if (std::sscanf(text.c_str(), "%dx%d", &size.width, &size.height) != 2)
      throw ConfigError("--picture: '" + text + "' is no size. Write WIDTHxHEIGHT, e.g. 448x448");
    const plan::Grid grid = data::preprocessed_grid(1, size, {}, m.vision);
    s.ids.push_back(m.vision_start_id);
    s.ids.insert(s.ids.end(), static_cast<std::size_t>(grid.merged(m.vision.merge_size)),
                 m.image_id);
    s.ids.push_back(m.vision_end_id);
    std::vector<float> pixels(static_cast<std::size_t>(grid.patches() * m.vision.patch_values()));
    for (float& pixel : pixels) pixel = random.normal(next++);
    s.media.push_back({grid, false, std::move(pixels)});
  }
  s.labels.assign(s.ids.size(), model::ignored_label);
  for (int i = 0; i < o.text; ++i) {
    s.ids.push_back(
        static_cast<int>(random.below(next++, static_cast<std::uint64_t>(o.vocab - 6))));
    s.labels.push_back(s.ids.back());
  }
  return model::pack(std::span(&s, 1), m);
}

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// How many products and attention passes each kernel ran.
nlohmann::json kernel_calls() {
  std::map<std::string, std::uint64_t> calls;
  for (const auto& [key, by_kernel] : counters().kernels)
    for (const auto& [kernel, count] : by_kernel) calls[kernel] += count;
  return calls;
}

nlohmann::json run(const Options& o) {
  const model::Qwen2VL model(shallow_model(o));
  const model::MicroBatch batch = random_batch(o, model.config());
  model::TrainingSettings settings;
  settings.type = o.precision == "bf16" ? DType::bf16 : DType::f32;
  settings.bucket_elements = 1 << 20;
  const auto comm = parallel::self_communicator();
  const auto plan = model::plan_training(model, settings, {{batch.shape}}, 0);
  const auto engine = engine::make_training_engine(model, settings, plan, *comm);
  engine->set_parameters(plan::initial_weights(1));
  engine::StepInput input{{batch.shape}, [&](int, model::Contents) { return batch; }, 1e-4};
  nlohmann::json j{{"instruction_set", instruction_set()},
                   {"back_end", Kokkos::DefaultExecutionSpace::name()},
                   {"threads", Kokkos::DefaultExecutionSpace().concurrency()},
                   {"precision", o.precision},
                   {"tokens", batch.shape.tokens()},
                   {"patches", batch.shape.patches()}};
  double loss = engine->step(input).loss;  // warms up: scratch, pages, primitives
  for (int step = 0; step < o.steps; ++step) {
    const Counts before = counters();
    const double cpu = cpu_seconds();
    const engine::StepResult result = engine->step(input);
    loss = result.loss;
    j["seconds"].push_back(1e-9 * static_cast<double>(result.end_ns - result.start_ns));
    j["cpu_seconds"].push_back(cpu_seconds() - cpu);
    for (int part = 0; part < kParts; ++part)
      j["part_seconds"][name_of(static_cast<Part>(part))].push_back(
          1e-9 * static_cast<double>(counters().part_ns[part] - before.part_ns[part]));
  }
  j["gigaflop"] = 1e-9 * static_cast<double>(counters().flops()) / (o.steps + 1);
  j["loss"] = loss;
  j["parameter_hash"] = engine->parameter_hash();
  j["kernels"] = kernel_calls();
  return j;
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  CLI::App app("Times training steps of a model with fewer blocks; prints one JSON object");
  app.add_option("--model", o.model, "Widths: nano, 2B, 7B, 72B")->capture_default_str();
  app.add_option("--layers", o.layers, "Decoder layers")->capture_default_str();
  app.add_option("--vision-blocks", o.vision_blocks, "ViT blocks")->capture_default_str();
  app.add_option("--vocab", o.vocab, "Rows of the embedding")->capture_default_str();
  app.add_option("--text", o.text, "Text tokens")->capture_default_str();
  app.add_option("--picture", o.pictures, "Picture: WIDTHxHEIGHT (repeat)");
  app.add_option("--precision", o.precision)->check(CLI::IsMember({"fp32", "bf16"}));
  app.add_option("--steps", o.steps, "Timed, after one that warms up")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  const Kokkos::ScopeGuard kokkos(Kokkos::InitializationSettings().set_disable_warnings(true));
  try {
    fmt::print("{}\n", run(o).dump());
  } catch (const Error& e) {
    fmt::print(stderr, "vlmark_step: {}\n", e.what());
    return static_cast<int>(e.exit_code());
  }
  return 0;
}
