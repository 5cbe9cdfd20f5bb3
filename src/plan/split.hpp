#pragma once

#include <span>
#include <vector>

#include "src/plan/units.hpp"

namespace vlmark::plan {

/// Cuts all units into `chunks` runs that follow each other so that the dearest is as cheap as can
/// be and, among those cuts, the sum of squares is least. `cost` [units.count()]: of each unit, any
/// non-negative unit of measure.
///
/// The first chunk holds all vision units, the embedding and a decoder layer, the last the head and
/// a decoder layer, each between at least one layer. Cost: O(chunks * units^2).
/// Throws ValueError where there are fewer layers than chunks, or for costs that are none.
std::vector<UnitRange> split_chunks(const Units& units, std::span<const double> cost, int chunks);

/// Cuts a chunk into `segments` runs in the same way, or into single units where it has fewer.
std::vector<UnitRange> split_segments(std::span<const double> cost, UnitRange chunk, int segments);

}  // namespace vlmark::plan
