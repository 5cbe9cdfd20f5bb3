#pragma once

#include <limits>
#include <string>

#include "src/config/run_config.hpp"

namespace vlmark::config {

/// Values a number may take; both ends are part of it unless said otherwise.
struct Bounds {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool above_low = false, below_high = false;  ///< the end itself is excluded

  /// False for NaN and infinity.
  bool contain(double x) const;
  std::string text() const;  ///< "at least 1", "above 0", "from 0 to below 1"
};
constexpr Bounds at_least(double low) { return {.low = low}; }
constexpr Bounds above(double low) { return {.low = low, .above_low = true}; }
constexpr Bounds from_to(double low, double high) { return {.low = low, .high = high}; }
constexpr Bounds from_to_below(double low, double high) {
  return {.low = low, .high = high, .below_high = true};
}

enum class Text { required, may_be_empty };

/// The one list of all keys: reading, echo, known keys and range checks are visitors of it, so that
/// a field cannot be read and not echoed. A visitor has `table(name, comment)` and, for each type
/// of field, `field(name, value, comment [, Bounds or Text])`.
template <class Config, class Visitor>
void visit(Config& c, Visitor&& v) {
  auto& model = c.model;
  v.table("model", "weights to start from: preset or folder");
  v.field("preset", model.preset, "random weights of this size", Text::may_be_empty);
  v.field("folder", model.folder, "checkpoint folder to start from", Text::may_be_empty);
  v.field("layers", model.layers, "of the preset's decoder layers; 0: all", at_least(0));
  v.field("vision_depth", model.vision_depth, "of its ViT blocks; 0: all", at_least(0));
  v.field("vocabulary", model.vocabulary, "of its tokens; 0: all", at_least(0));
  v.field("seed", model.seed, "of weights and sample order", at_least(0));
  v.field("challenge", model.challenge, "nonce that decides the seed", Text::may_be_empty);
  v.field("precision", model.precision, "storage: fp32 or bf16");

  auto& data = c.data;
  v.table("data", "documents to train on");
  v.field("kind", data.kind, "captions or synthetic");
  v.field("folder", data.folder, "pictures and captions.json", Text::required);
  v.field("tokenizer", data.tokenizer, "folder with tokenizer.json", Text::required);
  v.field("prompt", data.prompt, "asked beside every picture", Text::required);
  v.field("min_pixels", data.min_pixels, "resized to at least this area", at_least(1));
  v.field("max_pixels", data.max_pixels, "and at most this one", at_least(1));
  v.field("samples", data.samples, "synthetic documents", at_least(1));
  v.field("text_tokens", data.text_tokens, "of each, besides merged patches", at_least(2));
  v.field("pictures", data.pictures, "of each: 448x448+896x448; documents take turns at commas",
          Text::may_be_empty);

  auto& train = c.train;
  v.table("train", "recipe");
  v.field("steps", train.steps, "optimizer steps", at_least(1));
  v.field("warmup_steps", train.warmup_steps, "linear rise of the learning rate", at_least(0));
  v.field("learning_rate", train.learning_rate, "at the peak", above(0));
  v.field("min_learning_rate", train.min_learning_rate, "at the end of the cosine", at_least(0));
  v.field("schedule", train.schedule, "cosine or constant");
  v.field("beta1", train.beta1, "AdamW", from_to_below(0, 1));
  v.field("beta2", train.beta2, "AdamW", from_to_below(0, 1));
  v.field("eps", train.eps, "AdamW", above(0));
  v.field("weight_decay", train.weight_decay, "AdamW, decoupled", at_least(0));
  v.field("clip_norm", train.clip_norm, "limit of the global gradient norm", above(0));
  v.field("micro_batches", train.micro_batches, "of one step, over all ranks", at_least(1));
  v.field("micro_batch_samples", train.micro_batch_samples, "packed into each", at_least(1));
  v.field("stage", train.stage, "1 ViT, 2 everything, 3 LLM", from_to(1, 3));
  v.field("train_merger", train.train_merger, "true, false or default (with the ViT)");
  v.field("deterministic", train.deterministic, "fixed order of every sum");
  v.field("attention", train.attention, "kernel: own or cudnn (bf16 on CUDA)");
  v.field("untimed_steps", train.untimed_steps, "before the timed window", at_least(0));
  v.field("trace_steps", train.trace_steps, "first steps recorded action by action", at_least(0));

  auto& optimizer = c.optimizer;
  v.table("optimizer", "memory of the optimizer");
  v.field("state", optimizer.state, "moments and gradients: fp32 or bf16 (no master copy)");

  auto& recompute = c.recompute;
  v.table("recompute", "formed again in the backward pass instead of kept");
  v.field("norms", recompute.norms, "outputs of the norms");
  v.field("activation", recompute.activation, "SwiGLU product and quick-GELU output");
  v.field("up_projection", recompute.up_projection, "gate and up, the ViT's first MLP product");
  v.field("attention", recompute.attention, "output of attention");
  v.field("layer", recompute.layer, "all of a layer but its input");

  auto& parallel = c.parallel;
  v.table("parallel", "ranks");
  v.field("layout", parallel.layout, "dp2.tp2.pp2; empty: all ranks are replicas");
  v.field("segments", parallel.segments, "runs of layers of a stage", at_least(1));
  v.field("bucket_elements", parallel.bucket_elements, "gradients in one message", at_least(1));
  v.field("overlap_reduce", parallel.overlap_reduce, "gradients under the backward pass");
  v.field("overlap_gather", parallel.overlap_gather, "parameters under the next forward pass");
  v.field("early_messages", parallel.early_messages, "stages receive one use ahead");
  v.field("shared_parameters", parallel.shared_parameters,
          "tensor ranks' copies: summed or offline");
  v.field("offline_interval", parallel.offline_interval, "steps between averages", at_least(1));
  v.field("shapes", parallel.shapes, "of later stages: index or broadcast");
  v.field("timeout", parallel.timeout, "seconds without progress that end the job", above(0));

  auto& window = c.window;
  v.table("window", "what is timed");
  v.field("steps", window.steps, "at least; 0: no such limit", at_least(0));
  v.field("seconds", window.seconds, "at least; 0: no such limit", at_least(0));
  v.field("stationary", window.stationary, "untimed steps go on until times stand still");
  v.field("most_untimed_steps", window.most_untimed_steps, "and no further", at_least(1));
  v.field("repetitions", window.repetitions, "launches, declared before the first", at_least(1));
  v.field("official", window.official, "the rules' numbers are gates");

  auto& output = c.output;
  v.table("output", "results");
  v.field("folder", output.folder, "of the record", Text::required);
  v.field("overwrite", output.overwrite, "replace the record of an earlier run");
  v.field("export", output.export_model, "write the trained weights");

  auto& verify = c.verify;
  v.table("verify", "limits of the verdict");
  v.field("loss_ratio_limit", verify.loss_ratio_limit, "last loss / first loss, rule V5", above(0));
  v.field("replayed_steps", verify.replayed_steps, "of the window, rule V1", from_to(0, 16));

  auto& control = c.control;
  v.table("control", "questions to the trained weights");
  v.field("captions", control.captions, "caption every training picture");
  v.field("grey", control.grey, "ask again with a grey picture");
  v.field("max_grey_right", control.max_grey_right, "right answers allowed then", at_least(0));
  v.field("max_new_tokens", control.max_new_tokens, "length of an answer", at_least(1));

  auto& test = c.test;
  v.table("test", "reserved for tests of the rules");
  v.field("fault", test.fault, "error planted into the run, which then ends INVALID");
}

/// Words of the enumerations, the same for reading and echo.
inline constexpr DType kPrecisions[] = {DType::f32, DType::bf16};
inline constexpr DataKind kDataKinds[] = {DataKind::captions, DataKind::synthetic};
inline constexpr Schedule kSchedules[] = {Schedule::cosine, Schedule::constant};
inline constexpr Shapes kShapes[] = {Shapes::index, Shapes::broadcast};
inline constexpr AttentionBackend kAttentions[] = {AttentionBackend::own, AttentionBackend::cudnn};
inline constexpr SharedParameters kSharedParameters[] = {SharedParameters::summed,
                                                         SharedParameters::offline};
constexpr std::string_view name_of(SharedParameters shared) {
  return shared == SharedParameters::summed ? "summed" : "offline";
}
constexpr std::string_view name_of(DataKind kind) {
  return kind == DataKind::captions ? "captions" : "synthetic";
}
constexpr std::string_view name_of(Schedule schedule) {
  return schedule == Schedule::cosine ? "cosine" : "constant";
}

constexpr std::string_view name_of(Shapes shapes) {
  return shapes == Shapes::index ? "index" : "broadcast";
}

}  // namespace vlmark::config
