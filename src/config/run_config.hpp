#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/cudnn_attention.hpp"
#include "src/base/dtype.hpp"
#include "src/base/fault.hpp"

namespace vlmark::config {

/// How the learning rate goes on after the warm-up.
enum class Schedule : std::uint8_t {
  cosine,   ///< half a cosine from learning_rate down to min_learning_rate
  constant  ///< stays at learning_rate
};

/// What keeps the copies of a parameter equal that every tensor rank holds.
enum class SharedParameters : std::uint8_t {
  summed,  ///< all add up their gradients each step
  offline  ///< each goes on with its own, and all average weights and moments now and then
};

/// How pipeline stages know the lengths of a micro-batch.
enum class Shapes : std::uint8_t {
  index,     ///< every rank reads them from the index of the data
  broadcast  ///< the first stage tells the others before each step
};

/// What a run trains on.
enum class DataKind : std::uint8_t {
  captions,  ///< pictures of a folder and their captions
  synthetic  ///< text and pictures made from the seed, of any length and size
};

/// Where the weights come from: exactly one of the two.
struct ModelSection {
  std::string preset = "nano";   ///< random weights of this size
  int layers = 0;                ///< decoder layers, fewer than the preset's; 0: as the preset
  int vision_depth = 0;          ///< the same of the ViT's blocks
  int vocabulary = 0;            ///< and of the rows of embedding and head
  std::string folder;            ///< Hugging Face checkpoint folder to start from
  std::int64_t seed = 1;         ///< of weights and of the order of samples
  std::string challenge;         ///< a centre's nonce, which decides the seed; with a preset
  DType precision = DType::f32;  ///< storage of weights and activations: f32 or bf16
  bool operator==(const ModelSection&) const = default;
};

struct DataSection {
  DataKind kind = DataKind::captions;
  std::string folder = "configs/media";              ///< pictures and captions.json
  std::string tokenizer = "configs/tokenizer-nano";  ///< folder with tokenizer.json
  std::string prompt = "Describe the picture.";
  std::int64_t min_pixels = 3136;   ///< a picture is resized to at least this area
  std::int64_t max_pixels = 12544;  ///< and at most this one
  int samples = 64;                 ///< synthetic: documents, each visited once in an epoch
  int text_tokens = 512;            ///< synthetic: tokens of each besides its merged patches
  std::string pictures;             ///< synthetic: of each document, see picture_groups
  bool operator==(const DataSection&) const = default;
};

struct TrainSection {
  int steps = 100;
  int warmup_steps = 10;  ///< linear rise to learning_rate; a run of fewer steps ends inside it
  double learning_rate = 1e-3;   ///< at the peak
  double min_learning_rate = 0;  ///< at the end of the cosine
  Schedule schedule = Schedule::cosine;
  double beta1 = 0.9, beta2 = 0.95, eps = 1e-8;  ///< AdamW
  double weight_decay = 0.1;
  double clip_norm = 1.0;                              ///< upper limit of the global gradient norm
  int micro_batches = 4;                               ///< of one step, over all ranks
  int micro_batch_samples = 2;                         ///< packed into each
  int stage = 2;                                       ///< of the paper: 1 ViT, 2 everything, 3 LLM
  std::optional<bool> train_merger;                    ///< none: as the stage says
  bool deterministic = true;                           ///< fixed order of every sum
  AttentionBackend attention = AttentionBackend::own;  ///< cudnn: bf16 in builds for CUDA
  int untimed_steps = 5;  ///< before the timed window, at least; at most all but one
  int trace_steps = 2;    ///< first steps whose actions are recorded
  bool operator==(const TrainSection&) const = default;

  bool trains_vit() const { return stage != 3; }
  bool trains_llm() const { return stage != 1; }
  /// The paper does not say whether the merger trains in stages 1 and 3. It belongs to the vision
  /// side here, so it goes with the ViT unless `train_merger` decides.
  bool trains_merger() const { return train_merger.value_or(trains_vit()); }
};

/// Memory of the optimizer; its numbers stand in TrainSection.
struct OptimizerSection {
  /// Of moments and summed gradients. bf16: 8 byte a parameter, no master copy, stochastic rounding;
  /// with model.precision bf16 alone.
  DType state = DType::f32;
  bool operator==(const OptimizerSection&) const = default;
};

/// What the backward pass forms again instead of keeping it.
struct RecomputeSection {
  bool norms = false;          ///< outputs of the norms
  bool activation = false;     ///< SwiGLU product and quick-GELU output
  bool up_projection = false;  ///< gate and up, the ViT's first MLP product
  bool attention = false;      ///< output of attention
  bool layer = false;          ///< all of a layer but its input
  bool operator==(const RecomputeSection&) const = default;
};

struct ParallelSection {
  std::string layout;  ///< "dp2.tp2.pp2", see plan::Layout; empty: every rank is a replica
  int segments = 4;    ///< runs of layers that a stage works through one by one, at most
  std::int64_t bucket_elements = 1 << 20;  ///< gradients reduced in one message
  bool overlap_reduce = true;     ///< reduce gradients under the backward pass of earlier layers
  bool overlap_gather = true;     ///< gather parameters under the forward pass of the next step
  bool early_messages = true;     ///< post the receives of a stage one use ahead
  Shapes shapes = Shapes::index;  ///< where later stages have the lengths of micro-batches from
  /// Of norms, biases behind a sum, patch embedding and merger; without tp nothing is shared.
  SharedParameters shared_parameters = SharedParameters::summed;
  int offline_interval = 16;  ///< steps between two averages
  double timeout = 600;       ///< seconds without any progress after which the job ends
  bool operator==(const ParallelSection&) const = default;
};

/// The timed window (rules R6 to R12). With neither `steps` nor `seconds` it is all steps that
/// train.steps leaves after the untimed ones; else train.steps is the most there can be.
struct WindowSection {
  int steps = 0;                 ///< at least so many
  double seconds = 0;            ///< and at least so long
  bool stationary = false;       ///< untimed steps go on until their times stand still (rule R7)
  int most_untimed_steps = 200;  ///< and no further than this
  int repetitions = 1;           ///< launches declared before the first (rule R10)
  bool official = false;         ///< the rules' numbers are gates, not hints
  bool operator==(const WindowSection&) const = default;
};

struct OutputSection {
  std::string folder = "results/run";
  bool overwrite = false;    ///< replace the record of an earlier run in `folder`
  bool export_model = true;  ///< key `export`: write the trained weights as a model folder
  bool operator==(const OutputSection&) const = default;
};

struct VerifySection {
  double loss_ratio_limit = 0.5;  ///< rule V5: last loss / first loss must stay below
  int replayed_steps = 3;         ///< rule V1: of the window, run again after it
  bool operator==(const VerifySection&) const = default;
};

/// Questions asked to the weights after training.
struct ControlSection {
  bool captions = false;   ///< caption every training picture and print it beside the truth
  bool grey = false;       ///< ask again with a grey picture: the answers must then be wrong
  int max_grey_right = 1;  ///< captions that may be right without the picture
  int max_new_tokens = 48;
  bool operator==(const ControlSection&) const = default;
};

/// Reserved for tests of the rules.
struct TestSection {
  Fault fault = Fault::none;  ///< planted into the run, which then ends INVALID
  bool operator==(const TestSection&) const = default;
};

/// Everything that fixes one run. Relative paths are relative to the folder the command is started
/// in, as on a command line, and are echoed as written.
struct RunConfig {
  ModelSection model;
  DataSection data;
  TrainSection train;
  OptimizerSection optimizer;
  RecomputeSection recompute;
  ParallelSection parallel;
  WindowSection window;
  OutputSection output;
  VerifySection verify;
  ControlSection control;
  TestSection test;
  bool operator==(const RunConfig&) const = default;
};

/// Reads a run description; absent keys keep the defaults above.
///
/// | argument  | meaning                                                                         |
/// |-----------|---------------------------------------------------------------------------------|
/// | toml      | the text                                                                        |
/// | source    | what messages call it, usually the file's name                                  |
/// | overrides | `table.key=value`, in order of rising priority; text needs no quotation marks   |
///
/// Throws ConfigError with all problems, one a line: syntax, unknown keys (with the nearest known
/// one), wrong types, values out of range, values that contradict each other.
RunConfig parse(std::string_view toml, std::string_view source,
                const std::vector<std::string>& overrides = {});

/// `parse` of a file. Throws IoError when it cannot be read, ConfigError as `parse`.
RunConfig load(const std::filesystem::path& file, const std::vector<std::string>& overrides = {});

/// The seed that a challenge decides: 62 bits of the SHA-256 of the nonce.
std::int64_t challenge_seed(std::string_view nonce);

/// Every value, defaults included, as TOML with a comment on each; `parse` gives the same struct
/// back. `to_toml({})` is the reference of all keys.
std::string to_toml(const RunConfig& config);

/// Every problem of the values themselves, one text each; empty means valid.
std::vector<std::string> problems(const RunConfig& config);
/// `table.key` of every field, in the order of the echo.
std::vector<std::string> known_keys();

}  // namespace vlmark::config
