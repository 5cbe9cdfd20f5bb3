#include "src/engine/inference_engine.hpp"

#include <optional>
#include <string>

#include "src/base/error.hpp"
#include "src/engine/executing_ops.hpp"
#include "src/engine/flat_parameters.hpp"
#include "src/engine/inference_over.hpp"
#include "src/model/generation_plan.hpp"
#include "src/model/recording_ops.hpp"

namespace vlmark::engine {
namespace {

constexpr plan::Trainable nothing_learns{false, false, false};

template <class T>
class Engine final : public InferenceEngine {
 public:
  /// `own`: memory under `flat`; null where it belongs to somebody else.
  Engine(const model::Qwen2VL& model, const plan::FlatLayout& layout, T* flat,
         std::unique_ptr<ArenaMemory> own, bool staged)
      : model_(model),
        layout_(layout),
        staging_(staged),
        own_(std::move(own)),
        flat_(flat),
        parameters_(model.table(), layout_, flat) {}

  void set_parameters(const plan::TensorFill& fill) override {
    fill_flat(model_.table(), layout_, fill, staging_, flat_);
  }

  std::vector<float> vision(const model::MicroBatch& batch) override {
    return once([&](model::Ops& ops) { return model_.vision(ops, batch); });
  }
  std::vector<float> hidden(const model::MicroBatch& batch) override {
    return once([&](model::Ops& ops) { return model_.hidden(ops, batch, nullptr); });
  }
  std::vector<float> logits(const model::MicroBatch& batch) override {
    return once(
        [&](model::Ops& ops) { return model_.logits(ops, model_.hidden(ops, batch, nullptr)); });
  }

  std::vector<float> prefill(const model::MicroBatch& prompt, long capacity) override;
  std::vector<float> decode(int token) override;

 private:
  /// Memory for one piece of work, sized by recording it first.
  struct Session {
    Session(const Engine& engine, std::int64_t bytes)
        : memory(bytes),
          parameters(engine.parameters_),
          ops(kernels::Exec(), engine.model_.table(), arena, memory, engine.staging_, parameters,
              {type, nothing_learns, engine.staging_.staged()}) {}
    plan::Arena arena;
    ArenaMemory memory;
    ParameterStore<T> parameters;
    ExecutingOps<T> ops;
    model::KvCache cache;
    int delta = 0;
  };

  template <class Work>
  std::int64_t recorded_bytes(const Work& work) const {
    plan::Arena arena;
    model::RecordingOps ops(model_.table(), arena, {type, nothing_learns, staging_.staged()});
    work(ops);
    return arena.high_water();
  }
  template <class Work>
  std::vector<float> once(const Work& work) const {
    Session session(*this, recorded_bytes(work));
    return to_host(session, work(session.ops));
  }
  std::vector<float> to_host(const Session& session, const model::Tensor& x) const;

  static constexpr DType type = std::is_same_v<T, float> ? DType::f32 : DType::bf16;

  const model::Qwen2VL& model_;
  plan::FlatLayout layout_;
  Staging staging_;
  std::unique_ptr<ArenaMemory> own_;
  T* flat_;
  ParameterStore<T> parameters_;
  std::optional<Session> session_;
};

template <class T>
std::vector<float> Engine<T>::to_host(const Session& session, const model::Tensor& x) const {
  std::vector<float> values(static_cast<std::size_t>(x.rows() * x.columns()));
  const kernels::Exec exec;
  if (x.type() == DType::f32)
    staging_.load(exec, session.memory.template at<const float>(x.offset()), values);
  else
    staging_.load(exec, session.memory.template at<const T>(x.offset()), values);
  return values;
}

template <class T>
std::vector<float> Engine<T>::prefill(const model::MicroBatch& prompt, long capacity) {
  if (prompt.shape.sequences.size() != 1 || prompt.ids.empty())
    throw ValueError("prefill: the prompt holds " + std::to_string(prompt.ids.size()) +
                     " tokens in " + std::to_string(prompt.shape.sequences.size()) +
                     " sequences. Give one sequence of at least one token");
  if (capacity > model_.config().max_positions)
    throw ValueError("prefill: " + std::to_string(capacity) + " tokens are more than the model's " +
                     std::to_string(model_.config().max_positions) +
                     " positions. Ask for fewer new tokens or a smaller picture");
  session_.reset();
  session_.emplace(
      *this,
      model::plan_generation(model_, type, prompt, capacity, staging_.staged()).answer_bytes);
  session_->cache = model_.cache(session_->ops, capacity);
  session_->delta = prompt.rope_deltas.at(0);
  return to_host(*session_, model::last_logits(model_, session_->ops, prompt, session_->cache));
}

template <class T>
std::vector<float> Engine<T>::decode(int token) {
  if (!session_) throw ValueError("decode: there is no sequence. Call prefill first");
  Session& s = *session_;
  const int position = static_cast<int>(s.cache.filled) + s.delta;
  return to_host(s,
                 model::last_logits(model_, s.ops, model::single_token(token, position), s.cache));
}

template <class T>
std::unique_ptr<InferenceEngine> make(const model::Qwen2VL& model, bool staged) {
  const plan::FlatLayout layout(model.table(), /*ranks=*/1, /*bucket_elements=*/0);
  auto memory = std::make_unique<ArenaMemory>(layout.size() * static_cast<std::int64_t>(sizeof(T)));
  T* flat = memory->at<T>(0);
  return std::make_unique<Engine<T>>(model, layout, flat, std::move(memory), staged);
}

}  // namespace

std::unique_ptr<InferenceEngine> make_inference_engine(const model::Qwen2VL& model, DType type,
                                                       bool staged) {
  return type == DType::f32 ? make<float>(model, staged) : make<bf16>(model, staged);
}

std::unique_ptr<InferenceEngine> inference_over(const model::Qwen2VL& model,
                                                const plan::FlatLayout& layout, float* flat,
                                                bool staged) {
  return std::make_unique<Engine<float>>(model, layout, flat, nullptr, staged);
}

std::unique_ptr<InferenceEngine> inference_over(const model::Qwen2VL& model,
                                                const plan::FlatLayout& layout, bf16* flat,
                                                bool staged) {
  return std::make_unique<Engine<bf16>>(model, layout, flat, nullptr, staged);
}

}  // namespace vlmark::engine
