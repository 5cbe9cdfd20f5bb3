#include "src/model/micro_batch.hpp"

#include <algorithm>
#include <string>

#include "src/base/error.hpp"
#include "src/model/positions.hpp"

namespace vlmark::model {
namespace {

void require_ids(const Sequence& sequence, const plan::ModelConfig& model) {
  if (sequence.labels.size() != sequence.ids.size())
    throw ShapeError("pack: " + std::to_string(sequence.labels.size()) + " labels for " +
                     std::to_string(sequence.ids.size()) + " ids. Give one label per id");
  const auto inside = [&model](int id) { return id >= 0 && id < model.vocab; };
  for (std::size_t i = 0; i < sequence.ids.size(); ++i) {
    const int id = sequence.ids[i], label = sequence.labels[i];
    if (!inside(id) || (label != ignored_label && !inside(label)))
      throw ValueError("pack: " + std::string(inside(id) ? "label " : "id ") +
                       std::to_string(inside(id) ? label : id) + " at index " + std::to_string(i) +
                       " is outside the vocabulary of " + std::to_string(model.vocab) +
                       ". Use the tokenizer the model was made with");
  }
}

/// The k-th image token takes the k-th image row, whatever text stands between; so the numbers
/// must agree by kind.
void require_media(const Sequence& sequence, const plan::ModelConfig& model, bool pixels) {
  for (const bool video : {false, true}) {
    const int pad = video ? model.video_id : model.image_id;
    const long tokens = std::count(sequence.ids.begin(), sequence.ids.end(), pad);
    long features = 0;
    for (const Medium& medium : sequence.media)
      if (medium.video == video) features += medium.grid.merged(model.vision.merge_size);
    if (tokens != features)
      throw ValueError("pack: " + std::to_string(tokens) + (video ? " video" : " image") +
                       " tokens but " + std::to_string(features) +
                       " features (each token takes one feature). Expand the pad to one token "
                       "per merged patch of the medium");
  }
  for (const Medium& medium : sequence.media) {
    const plan::Grid& g = medium.grid;
    const int merge = model.vision.merge_size;
    if (g.t < 1 || g.h < merge || g.w < merge || g.h % merge != 0 || g.w % merge != 0)
      throw ShapeError("pack: grid " + std::to_string(g.t) + "x" + std::to_string(g.h) + "x" +
                       std::to_string(g.w) + " is not made of whole " + std::to_string(merge) +
                       "x" + std::to_string(merge) + " blocks. Resize by smart_resize");
    if (!pixels) continue;
    require_extents("pack", "pixel_values", {static_cast<long>(medium.pixel_values.size())},
                    {long{g.patches()} * model.vision.patch_values()});
  }
}

void append(std::vector<int>& to, const std::vector<int>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

MicroBatch pack(std::span<const Sequence> sequences, const plan::ModelConfig& model,
                Contents wanted) {
  MicroBatch batch;
  std::vector<int> t, h, w, patch_h, patch_w;
  for (const Sequence& sequence : sequences) {
    require_ids(sequence, model);
    require_media(sequence, model, wanted.vision);
    const int first = static_cast<int>(batch.ids.size());
    const int tokens = static_cast<int>(sequence.ids.size());
    std::vector<plan::Grid> grids;
    for (const Medium& medium : sequence.media) {
      grids.push_back(medium.grid);
      if (!wanted.vision) continue;
      append_patch_coordinates(medium.grid, model.vision.merge_size, patch_h, patch_w);
      batch.pixel_values.insert(batch.pixel_values.end(), medium.pixel_values.begin(),
                                medium.pixel_values.end());
    }
    const Positions positions = mrope_positions(sequence.ids, grids, model);
    append(t, positions.t);
    append(h, positions.h);
    append(w, positions.w);
    batch.rope_deltas.push_back(positions.delta);
    for (int i = 0; i < tokens; ++i) {
      const int id = sequence.ids[static_cast<std::size_t>(i)];
      if (id == model.image_id || id == model.video_id) batch.vision_rows.push_back(first + i);
      if (i + 1 == tokens) continue;
      const int label = sequence.labels[static_cast<std::size_t>(i) + 1];
      if (label == ignored_label) continue;
      batch.supervised_rows.push_back(first + i);
      batch.targets.push_back(label);
    }
    append(batch.ids, sequence.ids);
    batch.shape.sequences.push_back(tokens);
    batch.shape.media.insert(batch.shape.media.end(), grids.begin(), grids.end());
  }
  batch.shape.supervised = static_cast<int>(batch.targets.size());
  for (const auto* axis : {&t, &h, &w}) append(batch.positions, *axis);
  append(batch.vit_hw, patch_h);
  append(batch.vit_hw, patch_w);
  batch.cu_seqlens = plan::cumulative(batch.shape.sequences);
  batch.vit_cu_seqlens = plan::cumulative(batch.shape.vit_segments());
  return reduced(std::move(batch), wanted);
}

MicroBatch reduced(MicroBatch batch, Contents wanted) {
  if (!wanted.vision) {
    batch.pixel_values.clear();
    for (auto* part : {&batch.vit_cu_seqlens, &batch.vit_hw, &batch.vision_rows}) part->clear();
  }
  if (!wanted.targets)
    for (auto* part : {&batch.supervised_rows, &batch.targets}) part->clear();
  return batch;
}

MicroBatch single_token(int id, int position) {
  MicroBatch batch;
  batch.shape.sequences = {1};
  batch.ids = {id};
  batch.positions = {position, position, position};
  batch.cu_seqlens = {0, 1};
  batch.vit_cu_seqlens = {0};
  return batch;
}

MicroBatch blank(const plan::MicroBatchShape& shape, const plan::ModelConfig& model,
                 Contents wanted, std::vector<float> pixels) {
  const auto tokens = static_cast<std::size_t>(shape.tokens());
  const auto patches = static_cast<std::size_t>(shape.patches());
  MicroBatch batch;
  batch.shape = shape;
  batch.ids.assign(tokens, 0);
  batch.positions.assign(3 * tokens, 0);
  batch.cu_seqlens = plan::cumulative(shape.sequences);
  if (wanted.targets) {
    batch.supervised_rows.assign(static_cast<std::size_t>(shape.supervised), 0);
    batch.targets.assign(static_cast<std::size_t>(shape.supervised), 0);
  }
  if (!wanted.vision) return batch;
  batch.vit_cu_seqlens = plan::cumulative(shape.vit_segments());
  batch.vit_hw.assign(2 * patches, 0);
  batch.vision_rows.assign(patches / static_cast<std::size_t>(model.vision.merge_unit()), 0);
  batch.pixel_values = std::move(pixels);
  batch.pixel_values.resize(patches * static_cast<std::size_t>(model.vision.patch_values()));
  return batch;
}

}  // namespace vlmark::model
