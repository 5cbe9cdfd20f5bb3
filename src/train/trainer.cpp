#include "src/train/trainer.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <optional>

#include "parallel/agree.hpp"
#include "parallel/phase.hpp"
#include "parallel/scalars.hpp"
#include "src/base/clock.hpp"
#include "src/base/device_memory.hpp"
#include "src/base/error.hpp"
#include "src/base/fault.hpp"
#include "src/base/partition.hpp"
#include "src/engine/device.hpp"
#include "src/io/journal_records.hpp"
#include "src/io/model_folder.hpp"
#include "src/recipe/run_settings.hpp"
#include "src/recipe/synthetic_data.hpp"
#include "src/recipe/work.hpp"
#include "src/train/memory_check.hpp"
#include "src/train/planted_faults.hpp"
#include "src/train/window.hpp"
#include "src/verification/verification_size.hpp"

namespace vlmark::train {
namespace {

/// Rule V2: steps that are probed before the window, where there are as many, and with those after.
constexpr int kWatchedBefore = 3, kWatched = 4;

/// Adds what each action of a step took to the phases of the record.
void add_phases(io::StepTiming& timing, const engine::StepResult& result, const Counts& before) {
  const auto add = [&timing](io::Phase phase, std::int64_t ns) {
    timing.phase_ns[static_cast<int>(phase)] += ns;
  };
  for (const engine::ActionTime& a : result.actions) {
    const std::int64_t ns = a.end_ns - a.start_ns;
    switch (a.action.kind) {
      case plan::ActionKind::load:
        add(io::Phase::load, ns);
        break;
      case plan::ActionKind::optimizer_slice:
        add(io::Phase::optimizer, ns);
        break;
      default:
        break;  // forward and backward are booked by part
    }
  }
  add(io::Phase::exposed_data, engine::exposed_ns(result.actions, plan::Lane::data));
  const auto part = [&](Part p) {
    return counters().part_ns[static_cast<int>(p)] - before.part_ns[static_cast<int>(p)];
  };
  add(io::Phase::vit, part(Part::vit));
  add(io::Phase::merger, part(Part::merger));
  add(io::Phase::decoder, part(Part::decoder));
  add(io::Phase::head, part(Part::head));
}

/// Host memory of the states that rule V1 keeps until the window is over.
void add_replayed_states(std::vector<plan::MemoryItem>& items, int steps) {
  std::int64_t state = 0;
  for (const plan::MemoryItem& item : items)
    if (item.category == "parameters" || item.category == "optimizer") state += item.bytes;
  if (steps > 0) items.push_back({"replay", steps * state});
}

/// Rule R4: what steps were fed with.
void add_inputs(verification::Report& report, const recipe::InputCheck& inputs,
                parallel::Communicator& comm) {
  std::vector<verification::Finding> mine;
  for (const recipe::InputCheck::Finding& f : inputs.findings())
    mine.push_back(verification::finding("R4", f.key, f.value, f.limit, f.detail));
  for (io::Verification& check : verification::worst_of_ranks(comm, mine))
    report.checks.push_back(std::move(check));
  report.values.push_back(
      {"verification.inputs_s", parallel::all_reduce_max(comm, inputs.seconds())});
}

}  // namespace

Trainer::Trainer(const config::RunConfig& config, parallel::Communicator& comm)
    : config_(config), comm_(comm) {
  const config::TrainSection& t = config.train;
  learning_rate_ = {t.learning_rate, t.min_learning_rate, t.warmup_steps, t.steps,
                    t.schedule == config::Schedule::cosine};
  const bool synthetic = config.data.kind == config::DataKind::synthetic;
  plan::Place place;
  parallel::agree(comm, "set-up", [&] {
    std::optional<data::Tokenizer> tokenizer;
    if (!synthetic) tokenizer = data::Tokenizer::from_folder(config.data.tokenizer);
    model_ = std::make_unique<model::Qwen2VL>(tokenizer ? recipe::model_of(config.model, *tokenizer)
                                                        : recipe::model_of(config.model));
    settings_ = recipe::training_settings(config, model_->config(), comm.size());
    place = plan::place_of(settings_.layout, comm.rank());
    if (synthetic)
      data_ = std::make_unique<recipe::SyntheticData>(
          config.data, model_->config(), static_cast<std::uint64_t>(config.model.seed));
    else if (place.pipeline == 0)
      take(std::make_unique<recipe::CaptionData>(with_wrong_picture_size(config.data),
                                                 model_->config(), *std::move(tokenizer)));
  });
  if (settings_.layout.pipeline > 1 && !synthetic) take_pictures();
  order_ =
      std::make_unique<recipe::SampleOrder>(data_->size(), t.micro_batches, t.micro_batch_samples,
                                            static_cast<std::uint64_t>(config.model.seed));
  require_same_inputs();
  parallel::agree(comm, "plan", [&] {
    model::Steps steps;
    for (int step = 0; step < t.steps; ++step) steps.push_back(step_shapes(step));
    shard_ = std::make_unique<model::Qwen2VL>(
        model_->config(), model::shard_of(model_->config(), settings_, steps, place));
    plan_ = model::plan_training(*shard_, settings_, steps, comm.rank());
    const int window = t.steps - std::min(t.untimed_steps, t.steps - 1);
    // On a device they lie beside the memory that is planned and checked.
    if (!kDeviceMemory)
      add_replayed_states(plan_.items, std::min(config.verify.replayed_steps, window));
  });
  parallel::agree(comm, "memory", [&] {
    std::vector<plan::MemoryItem> items = plan_.items;
    items.push_back({"verification", verification::kMostBytes});
    require_memory(comm, items, engine::available_bytes(), !kDeviceMemory);
    engine_ = engine::make_training_engine(
        *shard_, settings_, plan_, comm,
        {.progress =
             std::chrono::milliseconds(static_cast<std::int64_t>(1e3 * config.parallel.timeout))});
  });
  probes_ = std::make_unique<verification::StepProbes>(
      static_cast<std::uint64_t>(config.model.seed), settings_.staged);
  inputs_ = std::make_unique<recipe::InputCheck>(
      config.data, model_->config(), static_cast<std::uint64_t>(config.model.seed),
      captions_ ? std::optional(captions_->tokenizer()) : std::nullopt);
  parallel::agree(comm, "weights", [&] {
    engine_->set_parameters(
        config.model.folder.empty()
            ? plan::initial_weights(static_cast<std::uint64_t>(config.model.seed))
            : io::read_weights(config.model.folder, model_->table()));
  });
}

std::unique_ptr<engine::InferenceEngine> Trainer::inference() {
  engine_->gather_parameters();
  if (settings_.layout.pipeline * settings_.layout.tensor == 1) return engine_->inference();
  std::map<std::string, std::vector<float>> weights;
  engine_->collect_parameters(
      [&](const plan::LogicalTensor& tensor, long first, std::span<const float> values) {
        auto& whole = weights[tensor.name];
        whole.resize(static_cast<std::size_t>(tensor.whole_size()));
        std::copy(values.begin(), values.end(), whole.begin() + first);
      });
  if (comm_.rank() != 0) return nullptr;
  auto engine = engine::make_inference_engine(*model_, settings_.type);
  engine->set_parameters(
      [&](const plan::LogicalTensor& tensor, long first, std::span<float> values) {
        std::copy_n(weights.at(tensor.name).begin() + first, values.size(), values.begin());
      });
  return engine;
}

void Trainer::take(std::unique_ptr<recipe::CaptionData> captions) {
  captions_ = captions.get();
  data_ = std::move(captions);
}

void Trainer::take_pictures() {
  std::vector<int> numbers;  // height, width, t, h, w of each
  for (int i = 0; captions_ && i < captions_->size(); ++i) {
    const auto [size, grid] = captions_->picture(i);
    numbers.insert(numbers.end(), {size.height, size.width, grid.t, grid.h, grid.w});
  }
  numbers.resize(static_cast<std::size_t>(
      parallel::broadcast_value(comm_, static_cast<std::int64_t>(numbers.size()))));
  comm_.broadcast(parallel::buffer(numbers), 0).wait();
  parallel::agree(comm_, "set-up", [&] {
    if (captions_) return;
    std::vector<recipe::CaptionData::Picture> pictures;
    for (auto n = numbers.begin(); n != numbers.end(); n += 5)
      pictures.push_back({{n[0], n[1]}, {n[2], n[3], n[4]}});
    take(std::make_unique<recipe::CaptionData>(config_.data, model_->config(),
                                               data::Tokenizer::from_folder(config_.data.tokenizer),
                                               pictures));
  });
}

void Trainer::require_same_inputs() const {
  std::string inputs = config::to_toml(config_);
  for (int i = 0; i < data_->size(); ++i) inputs += "\n" + data_->summary(i);
  parallel::require_same_text(
      comm_, "compare the inputs of all ranks", inputs,
      [this](const std::string& here, const std::string& first) {
        throw ConfigError("set-up: this rank, on " + comm_.host() + ", reads '" + here +
                          "' where rank 0 reads '" + first +
                          "' (they would train on different batches). Give every rank the same run "
                          "description and data");
      });
}

std::vector<plan::MicroBatchShape> Trainer::step_shapes(int step) const {
  std::vector<plan::MicroBatchShape> shapes;
  for (int m = 0; m < config_.train.micro_batches; ++m)
    shapes.push_back(data_->shape(order_->micro_batch(step, m)));
  return shapes;
}

void Trainer::note_step(io::JournalWriter& journal, int step, const engine::StepResult& result,
                        const Counts& before, const recipe::Work& work,
                        double learning_rate) const {
  io::StepTiming timing{step, result.start_ns, result.end_ns, {}};
  add_phases(timing, result, before);
  io::append(journal, timing);
  io::StepScalars scalars{step, result.loss, result.grad_norm, learning_rate, {}};
  std::copy_n(work.tokens, io::kTokenKinds, scalars.tokens);
  io::append(journal, scalars);
  io::append(journal, io::step_counters(step, before, counters()));
  if (step >= config_.train.trace_steps) return;
  for (const engine::ActionTime& a : result.actions)
    io::append(journal,
               io::ActionTiming{step, static_cast<std::int32_t>(a.action.kind),
                                static_cast<std::int32_t>(a.action.lane), a.action.micro_batch,
                                a.action.chunk, a.start_ns, a.end_ns});
}

engine::StepInput Trainer::input(int step) const {
  engine::StepInput input;
  input.shapes = step_shapes(step);
  input.learning_rate = learning_rate_.at(step);
  input.load = [this, step](int m, model::Contents wanted) {
    const std::vector<int> samples = order_->micro_batch(step, m);
    std::vector<model::Sequence> documents;
    for (const int i : samples) documents.push_back(data_->document(i, wanted.vision));
    model::MicroBatch batch = model::pack(documents, model_->config(), wanted);
    spoil_inputs(batch, model_->config().vision);
    if (probes_->watching()) {
      probes_->check(batch, model_->config(), wanted);
      inputs_->check(samples, batch, wanted);
    }
    return batch;
  };
  drop_last_micro_batch(input, model_->config());
  return input;
}

engine::StepResult Trainer::compute(const engine::StepInput& input) {
  if (!planted(Fault::cached_output)) return engine_->step(input);
  if (losses_.empty()) cached_ = engine_->step(input);
  engine::StepResult result = cached_;
  result.start_ns = monotonic_ns();
  result.end_ns = result.start_ns + 1;
  return result;
}

engine::StepResult Trainer::step(io::JournalWriter& journal, int step) {
  const Counts before = counters();
  const engine::StepInput input = this->input(step);
  const engine::StepResult result = compute(input);
  losses_.push_back(result.loss);
  grad_norms_.push_back(result.grad_norm);
  const recipe::Work work =
      recipe::work_of(step_shapes(step), model_->config().vision.merge_unit());
  note_step(journal, step, result, before, work, input.learning_rate);
  journal.flush();  // one write of some kB: a killed run keeps what it did
  return result;
}

int Trainer::warm_up(const Window& window, const Step& step) {
  std::vector<double> seconds;
  while (!window.opens(seconds)) {
    const int i = static_cast<int>(seconds.size());
    auto watched =
        i < std::min(config_.train.untimed_steps, kWatchedBefore) ? probes_->watch() : nullptr;
    const engine::StepResult result = step(i);
    watched.reset();
    seconds.push_back(parallel::all_reduce_max(
        comm_, static_cast<double>(result.end_ns - result.start_ns) * 1e-9));
  }
  untimed_steps_ = static_cast<int>(seconds.size());
  return window.steps(seconds);
}

void Trainer::run(io::JournalWriter& journal, const std::function<void(const Progress&)>& report) {
  const config::TrainSection& t = config_.train;
  const std::int64_t begin = monotonic_ns();
  int expected = t.steps;  // steps of the whole run
  const Step step = [&](int i) {
    const engine::StepResult result = this->step(journal, i);
    if (comm_.rank() == 0) {
      const double done = static_cast<double>(monotonic_ns() - begin) * 1e-9;
      const recipe::Work work =
          recipe::work_of(step_shapes(i), model_->config().vision.merge_unit());
      report({i + 1, expected, result.loss, learning_rate_.at(i),
              static_cast<double>(work.positions()) * 1e9 /
                  static_cast<double>(result.end_ns - result.start_ns),
              done / (i + 1) * (expected - i - 1)});
    }
    return result;
  };
  const Window window(config_);
  int left = warm_up(window, step);
  if (planted(Fault::short_run)) left = (left + 1) / 2;
  expected = untimed_steps_ + left;
  replay_ = std::make_unique<ReplayCheck>(*engine_, config_.verify.replayed_steps, untimed_steps_,
                                          left, static_cast<std::uint64_t>(config_.model.seed));
  parallel::wait_for_all(comm_);
  const std::int64_t start = monotonic_ns();
  std::chrono::system_clock::time_point window_began;
  for (int i = untimed_steps_; left > 0;) {
    expected = i + left;
    for (; left > 0; --left, ++i) {
      replay_->before(*engine_, i);
      if (i == untimed_steps_) {
        parallel::wait_for_all(comm_);  // no rank copies its state any more
        window_began = std::chrono::system_clock::now();
      }
      const engine::StepResult result = step(i);
      window_wall_seconds_ =
          std::chrono::duration<double>(std::chrono::system_clock::now() - window_began).count();
      replay_->after(*engine_, i, result);
    }
    const double elapsed =
        parallel::all_reduce_max(comm_, static_cast<double>(monotonic_ns() - start) * 1e-9);
    left = planted(Fault::short_run) ? 0 : window.further(i - untimed_steps_, elapsed, t.steps - i);
  }
  desynchronise_replica(*engine_, comm_);
}

std::string Trainer::state_hash() const {
  const auto mine = static_cast<std::int64_t>(engine_->state_hash());
  char text[17];
  std::snprintf(text, sizeof text, "%016llx",
                static_cast<unsigned long long>(parallel::all_reduce_sum(comm_, mine)));
  return text;
}

void Trainer::watch_after_window() {
  for (int i = static_cast<int>(losses_.size()) - 1; probes_->steps() < kWatched; --i) {
    const auto watched = probes_->watch();
    repeat(std::max(i, 0));
  }
}

verification::Update Trainer::update_of(int step) const {
  verification::Update update{settings_, learning_rate_.at(step), 0, 0, false, false};
  // By the run description, not by what became of it on the way to the engine.
  const config::TrainSection& t = config_.train;
  plan::OptimizerSettings& o = update.settings.optimizer;
  o.beta1 = t.beta1, o.beta2 = t.beta2, o.eps = t.eps;
  o.weight_decay = t.weight_decay, o.clip_norm = t.clip_norm;
  for (int i = 0; i <= step; ++i) {
    update.llm = update.vision = false;
    for (const plan::MicroBatchShape& shape : step_shapes(i)) {
      update.llm |= shape.supervised > 0;
      update.vision |= shape.supervised > 0 && !shape.media.empty();
    }
    update.llm_steps += update.llm;
    update.vision_steps += update.vision;
  }
  return update;
}

verification::Report Trainer::verify() {
  std::vector<verification::Finding> updates;
  std::vector<io::PlanValue> values;
  const plan::Place place = plan::place_of(settings_.layout, comm_.rank());
  const auto again = [&](int step) {
    std::optional<verification::UpdateCheck> update;  // one step's: it reads the whole gradient
    if (updates.empty()) update.emplace(*engine_, static_cast<std::uint64_t>(step));
    const engine::StepResult result = repeat(step);
    if (update) updates = update->after(*engine_, result, update_of(step), place, comm_);
    const std::string name = "replayed." + std::to_string(step);
    values.push_back({name + ".loss", result.loss});
    values.push_back({name + ".grad_norm", result.grad_norm});
    return result;
  };
  std::vector<io::Verification> replayed =
      replay_->verify(comm_, *engine_, config_.train.deterministic, again);
  for (io::Verification& check : verification::worst_of_ranks(comm_, updates))
    replayed.push_back(std::move(check));
  watch_after_window();
  verification::Report report =
      verification::finish(*probes_, *engine_, settings_, model_->config(), comm_);
  add_inputs(report, *inputs_, comm_);
  report.checks.insert(report.checks.begin(), replayed.begin(), replayed.end());
  report.values.insert(report.values.end(), values.begin(), values.end());
  return report;
}

}  // namespace vlmark::train
