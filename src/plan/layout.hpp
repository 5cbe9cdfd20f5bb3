#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/plan/model_config.hpp"

namespace vlmark::plan {

/// How many ranks do what. Text form: parts `dp`, `tp`, `pp`, `v`, `n` with a number each, joined by
/// dots in any order, each at most once: `dp2.tp2.pp2`, `pp4.v2`, `pp4.v2.n8`.
struct Layout {
  int data = 1;      ///< replicas of the model
  int tensor = 1;    ///< ranks that share every layer
  int pipeline = 1;  ///< ranks that follow each other through the layers
  int chunks = 1;    ///< runs of units each pipeline rank holds; above 1: interleaved
  int group = 0;     ///< micro-batches of one chunk in a row when interleaved; 0: `pipeline`

  int ranks() const { return data * tensor * pipeline; }
  bool operator==(const Layout&) const = default;
};

/// Throws ConfigError that names the part and the form.
Layout parse_layout(std::string_view text);
/// The parts that are not 1, in the order dp, tp, pp, v, n; "dp1" for one rank.
std::string to_string(const Layout& layout);

/// Where a rank stands in the grid.
struct Place {
  int data = 0, pipeline = 0, tensor = 0;

  bool operator==(const Place&) const = default;
};
/// Tensor ranks are neighbours, then pipeline ranks; replicas lie furthest apart:
///
///     rank = (data * layout.pipeline + pipeline) * layout.tensor + tensor
Place place_of(const Layout& layout, int rank);
int rank_of(const Layout& layout, const Place& place);

/// Why the layout cannot run this model on `ranks` ranks with `micro_batches` in a step over all
/// replicas (each runs its block_of): one message per reason, with both values and what would work.
/// Empty: it can.
std::vector<std::string> problems(const Layout& layout, const ModelConfig& model, int ranks,
                                  int micro_batches);

}  // namespace vlmark::plan
