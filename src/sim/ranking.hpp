#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "src/sim/replay.hpp"

namespace vlmark::sim {

/// Numbers of ranks to try one after another: powers of two up to a node, then whole nodes in powers
/// of two.
int next_ranks(const Machine& machine, int ranks);

/// Every layout of `ranks` ranks that problems() accepts, with groups as large as the pipeline and
/// work for every replica.
std::vector<plan::Layout> legal_layouts(const plan::ModelConfig& model, int ranks,
                                        int micro_batches);

/// One layout with what it is expected to need.
struct Candidate {
  plan::Layout layout;
  int stage = 0;                         ///< whose bytes these are: the one that needs most
  std::vector<plan::MemoryItem> items;   ///< by category
  double bytes = 0;                      ///< of all items
  bool planned = false;                  ///< else activations are still to be added
  double at_least = 0;                   ///< s that a step takes in any case
  std::optional<Prediction> prediction;  ///< none: not replayed
  double step() const { return prediction ? prediction->step : at_least; }
};

/// Bytes and times of layouts of one model on one machine. Bytes are those of the first, second and
/// last stage of the first replica and tensor rank: activations wait longest in the first stages,
/// and the ViT, the embedding and the head lie in the first and the last.
class Ranking {
 public:
  Ranking(const Machine& machine, const plan::ModelConfig& model,
          const model::TrainingSettings& settings, model::Steps steps);

  /// All legal layouts of `ranks`: first those that fit and were replayed, by time; then those that
  /// were not looked at closely; then those that do not fit. They are looked at in order of the time
  /// that they take at least, until the ten fastest are known for sure or `work`, about the
  /// microseconds it takes, is spent and one fits.
  std::vector<Candidate> all(int ranks, double work);
  Candidate one(const plan::Layout& layout);
  /// Whether some layout of `ranks` fits: those of the fewest bytes without activations first.
  bool any_fits(int ranks);

 private:
  model::TrainingSettings with(const plan::Layout& layout) const;
  /// Exactly, or without activations.
  void plan_bytes(Candidate& candidate, bool exact);
  bool may_fit(const Candidate& candidate) const {
    return candidate.bytes <= machine_.memory_bytes;
  }
  double planning_work(const plan::Layout& layout) const;

  const Machine& machine_;
  const plan::ModelConfig& model_;
  model::TrainingSettings settings_;
  Simulator simulator_;
};

}  // namespace vlmark::sim
