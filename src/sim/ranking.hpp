#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "src/sim/replay.hpp"

namespace vlmark::sim {

/// Why a rank with `memory_bytes` cannot run what was planned for it, with the largest item named;
/// empty: it can. `where` begins the message.
std::string misfit(const std::string& where, const std::vector<plan::MemoryItem>& items,
                   double memory_bytes);

/// Every layout of `ranks` ranks that problems() accepts, with groups as large as the pipeline.
std::vector<plan::Layout> legal_layouts(const plan::ModelConfig& model, int ranks,
                                        int micro_batches);

/// One layout with what it is expected to need.
struct Candidate {
  plan::Layout layout;
  int stage = 0;                        ///< whose bytes these are: the one that needs most
  std::vector<plan::MemoryItem> items;  ///< by category
  double bytes = 0;                     ///< of all items
  bool least = false;  ///< it does not fit even without activations, which were not planned
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

  /// All legal layouts of `ranks`: those that fit first, by time. Layouts are replayed in order of
  /// the time they take at least until `work` actions have been played; with that order, one that
  /// was replayed and is faster than `at_least` of all that were not is the fastest of all.
  std::vector<Candidate> all(int ranks, long work);
  Candidate one(const plan::Layout& layout);
  /// The fewest ranks, a power of two up to a node and whole nodes in powers of two above, on which
  /// some layout fits, up to `most`; 0: none.
  int fewest_ranks(int most);

 private:
  model::TrainingSettings with(const plan::Layout& layout, bool whole_segments) const;
  void plan_bytes(Candidate& candidate, bool shortcut);
  bool fits(const Candidate& candidate) const { return candidate.bytes <= machine_.memory_bytes; }

  const Machine& machine_;
  const plan::ModelConfig& model_;
  model::TrainingSettings settings_;
  Simulator simulator_;
};

}  // namespace vlmark::sim
