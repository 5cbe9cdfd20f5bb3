#pragma once

#include <span>
#include <vector>

#include "src/plan/model_config.hpp"
#include "src/plan/shapes.hpp"

namespace vlmark::model {

/// One picture or video after preprocessing.
struct Medium {
  plan::Grid grid;
  bool video = false;
  std::vector<float> pixel_values;  ///< [grid.patches(), patch_values]
};

/// One document: token ids with vision pads expanded, labels (-100: not supervised; not shifted),
/// and its media in order of appearance.
struct Sequence {
  std::vector<int> ids, labels;
  std::vector<Medium> media;
};
inline constexpr int ignored_label = -100;

/// What of a micro-batch somebody needs besides lengths, ids and positions.
struct Contents {
  bool vision = true;   ///< pixels, and where patches and merged patches go
  bool targets = true;  ///< supervised rows and what follows them
};

/// Sequences packed into one row without padding, with every index the layers need.
struct MicroBatch {
  plan::MicroBatchShape shape;
  std::vector<int> ids;              ///< [tokens]
  std::vector<int> positions;        ///< [3 * tokens]: all t, all h, all w
  std::vector<int> cu_seqlens;       ///< [sequences + 1]
  std::vector<int> vit_cu_seqlens;   ///< [frame pairs + 1]
  std::vector<int> vit_hw;           ///< [2 * patches]: all h, all w, in row order of the patches
  std::vector<int> vision_rows;      ///< [merged tokens]: where each merger row goes
  std::vector<int> supervised_rows;  ///< rows whose next token is supervised, ascending
  std::vector<int> targets;          ///< that next token
  std::vector<float> pixel_values;   ///< [patches * patch_values]
  std::vector<int> rope_deltas;      ///< per sequence: next position minus tokens
};

/// Packs sequences. What is not wanted stays empty (media may come without pixels then); the shape is
/// always whole. Throws ValueError where an id lies outside the vocabulary, or image or video
/// tokens and the media's merged patches differ in number or kind, with both values.
MicroBatch pack(std::span<const Sequence> sequences, const plan::ModelConfig& model,
                Contents wanted = {});

/// Leaves out what is not wanted of a packed micro-batch.
MicroBatch reduced(MicroBatch batch, Contents wanted);

/// One generated token that stands at `position` on all three axes.
MicroBatch single_token(int id, int position);

/// A micro-batch of the given shape whose contents, as far as wanted, are zeros: what a recorded step
/// runs on.
/// `pixels`: memory for its pictures, which may be of another one (resized) and is the most of it.
MicroBatch blank(const plan::MicroBatchShape& shape, const plan::ModelConfig& model,
                 Contents wanted = {}, std::vector<float> pixels = {});

}  // namespace vlmark::model
