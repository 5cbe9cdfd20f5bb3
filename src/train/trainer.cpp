#include "src/train/trainer.hpp"

#include <algorithm>
#include <map>

#include "parallel/agree.hpp"
#include "parallel/phase.hpp"
#include "parallel/scalars.hpp"
#include "src/base/clock.hpp"
#include "src/base/device_memory.hpp"
#include "src/base/error.hpp"
#include "src/base/partition.hpp"
#include "src/engine/device.hpp"
#include "src/io/journal_records.hpp"
#include "src/io/model_folder.hpp"
#include "src/recipe/run_settings.hpp"
#include "src/train/memory_check.hpp"

namespace vlmark::train {
namespace {

using io::TokenKind;

/// Rule V2: steps that are probed before the window, where there are as many, and with those after.
constexpr int kWatchedBefore = 3, kWatched = 4;

constexpr int kind(TokenKind k) { return static_cast<int>(k); }

Work work_of(const std::vector<plan::MicroBatchShape>& shapes, int merge_unit) {
  Work work;
  for (const plan::MicroBatchShape& shape : shapes) {
    const std::int64_t vision = shape.patches() / merge_unit;
    work.tokens[kind(TokenKind::text)] += shape.tokens() - vision;
    work.tokens[kind(TokenKind::vision)] += vision;
    work.tokens[kind(TokenKind::supervised)] += shape.supervised;
    work.tokens[kind(TokenKind::patches)] += shape.patches();
    work.tokens[kind(TokenKind::pictures)] += static_cast<std::int64_t>(shape.media.size());
    work.tokens[kind(TokenKind::documents)] += static_cast<std::int64_t>(shape.sequences.size());
  }
  return work;
}

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

}  // namespace

std::int64_t Work::positions() const {
  return tokens[kind(TokenKind::text)] + tokens[kind(TokenKind::vision)];
}

Work& Work::operator+=(const Work& other) {
  for (int k = 0; k < io::kTokenKinds; ++k) tokens[k] += other.tokens[k];
  return *this;
}

Trainer::Trainer(const config::RunConfig& config, parallel::Communicator& comm)
    : config_(config), comm_(comm) {
  const config::TrainSection& t = config.train;
  learning_rate_ = {t.learning_rate, t.min_learning_rate, t.warmup_steps, t.steps,
                    t.schedule == config::Schedule::cosine};
  parallel::agree(comm, "set-up", [&] {
    data::Tokenizer tokenizer = data::Tokenizer::from_folder(config.data.tokenizer);
    model_ = std::make_unique<model::Qwen2VL>(recipe::model_of(config.model, tokenizer));
    data_ =
        std::make_unique<recipe::CaptionData>(config.data, model_->config(), std::move(tokenizer));
    order_ =
        std::make_unique<recipe::SampleOrder>(data_->size(), t.micro_batches, t.micro_batch_samples,
                                              static_cast<std::uint64_t>(config.model.seed));
  });
  require_same_inputs();
  parallel::agree(comm, "plan", [&] {
    model::Steps steps;
    for (int step = 0; step < t.steps; ++step) steps.push_back(step_shapes(step));
    settings_ = recipe::training_settings(config, model_->config(), comm.size());
    const plan::Place place = plan::place_of(settings_.layout, comm.rank());
    shard_ = std::make_unique<model::Qwen2VL>(
        model_->config(), model::shard_of(model_->config(), settings_, steps, place));
    plan_ = model::plan_training(*shard_, settings_, steps, comm.rank());
  });
  parallel::agree(comm, "memory", [&] {
    require_memory(comm, plan_.items, engine::available_bytes(), !kDeviceMemory);
    engine_ = engine::make_training_engine(
        *shard_, settings_, plan_, comm,
        {.progress =
             std::chrono::milliseconds(static_cast<std::int64_t>(1e3 * config.parallel.timeout))});
  });
  probes_ = std::make_unique<verification::StepProbes>(
      static_cast<std::uint64_t>(config.model.seed), settings_.staged);
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

void Trainer::require_same_inputs() const {
  std::string inputs = config::to_toml(config_);
  for (int i = 0; i < data_->size(); ++i) {
    const plan::MicroBatchShape shape = data_->shape({i});
    inputs += "\n" + data_->entry(i).caption + " " + std::to_string(shape.tokens()) + " " +
              std::to_string(shape.patches());
  }
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
                        const Counts& before, const Work& work, double learning_rate) const {
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

engine::StepInput Trainer::step_input(int step) {
  engine::StepInput input;
  input.shapes = step_shapes(step);
  input.learning_rate = learning_rate_.at(step);
  input.load = [this, step](int m) {
    std::vector<model::Sequence> documents;
    for (const int i : order_->micro_batch(step, m)) documents.push_back(data_->document(i));
    model::MicroBatch batch = model::pack(documents, model_->config());
    if (probes_->watching()) probes_->check(batch, model_->config());
    return batch;
  };
  return input;
}

void Trainer::watch_after_window() {
  for (int step = config_.train.steps - 1; probes_->steps() < kWatched; --step) {
    const auto watched = probes_->watch();
    engine::StepInput input = step_input(std::max(step, 0));
    input.learning_rate = 0;
    engine_->step(input);
  }
}

verification::Report Trainer::verify() {
  return verification::finish(*probes_, *engine_, settings_, model_->config().tied, comm_);
}

void Trainer::run(io::JournalWriter& journal, const std::function<void(const Progress&)>& report) {
  const config::TrainSection& t = config_.train;
  untimed_steps_ = std::min(t.untimed_steps, t.steps - 1);
  const std::int64_t begin = monotonic_ns();
  std::int64_t window_start = begin;
  for (int step = 0; step < t.steps; ++step) {
    if (step == untimed_steps_) {
      parallel::wait_for_all(comm_);
      window_start = monotonic_ns();
    }
    const Counts before = counters();
    const engine::StepInput input = step_input(step);
    auto watched = step < std::min(untimed_steps_, kWatchedBefore) ? probes_->watch() : nullptr;
    const engine::StepResult result = engine_->step(input);
    watched.reset();
    losses_.push_back(result.loss);
    grad_norms_.push_back(result.grad_norm);
    const Work work = work_of(input.shapes, model_->config().vision.merge_unit());
    if (step >= untimed_steps_) window_work_ += work;
    note_step(journal, step, result, before, work, input.learning_rate);
    journal.flush();  // one write of some kB: a killed run keeps what it did
    if (comm_.rank() != 0) continue;
    const double done = static_cast<double>(monotonic_ns() - begin) * 1e-9;
    report({step + 1, t.steps, result.loss, input.learning_rate,
            static_cast<double>(work.positions()) * 1e9 /
                static_cast<double>(result.end_ns - result.start_ns),
            done / (step + 1) * (t.steps - step - 1)});
  }
  const double mine = static_cast<double>(monotonic_ns() - window_start) * 1e-9;
  window_seconds_ = parallel::all_reduce_max(comm_, mine);
  watch_after_window();
}

}  // namespace vlmark::train
