#include "src/train/planted_faults.hpp"

#include <algorithm>
#include <vector>

#include "src/base/fault.hpp"

namespace vlmark::train {

config::DataSection with_wrong_picture_size(config::DataSection data) {
  if (planted(Fault::wrong_picture_size)) data.max_pixels = data.min_pixels;
  return data;
}

void drop_last_micro_batch(engine::StepInput& input, const plan::ModelConfig& model) {
  if (!planted(Fault::dropped_micro_batch)) return;
  const int last = static_cast<int>(input.shapes.size()) - 1;
  input.shapes.back() = {{1}, {}, 0};
  input.load = [load = input.load, model, last](int m, model::Contents wanted) {
    if (m != last) return load(m, wanted);
    const model::Sequence token{{model.eos_id}, {model::ignored_label}, {}};
    return model::pack(std::span(&token, 1), model, wanted);
  };
}

void spoil_inputs(model::MicroBatch& batch, const plan::VisionConfig& vision) {
  if (planted(Fault::swapped_channels)) {
    const std::ptrdiff_t row = vision.patch_values(), channel = row / vision.in_channels;
    for (auto at = batch.pixel_values.begin(); at != batch.pixel_values.end(); at += row)
      std::swap_ranges(at, at + channel, at + 2 * channel);
  }
  if (planted(Fault::unshifted_targets))
    for (std::size_t k = 0; k < batch.targets.size(); ++k)
      batch.targets[k] = batch.ids[static_cast<std::size_t>(batch.supervised_rows[k])];
}

void desynchronise_replica(engine::TrainingEngine& engine, const parallel::Communicator& comm) {
  if (!planted(Fault::desynchronised_replica)) return;
  engine.gather_parameters();
  if (comm.rank() + 1 < comm.size()) return;
  std::vector<std::byte> state(engine.state_bytes());
  engine.save_state(state);
  state[1024] ^= std::byte{1};  // behind the counts that come first: a parameter of another rank
  engine.restore_state(state);
}

}  // namespace vlmark::train
