#pragma once

#include "kernels/types.hpp"
#include "src/engine/tensor_group.hpp"

namespace vlmark::engine {

/// Head and cross-entropy of rows over the vocabulary slices of a tensor group, in row tiles as
/// kernels::linear_cross_entropy does it on one rank, with two exchanges a tile: maxima, then sums
/// and target logits.
///
/// | argument     | shape           | meaning                                            |
/// |--------------|-----------------|----------------------------------------------------|
/// | h            | [rows, hidden]  | all rows                                           |
/// | w            | [slice, hidden] | this rank's rows of the head                       |
/// | first        | scalar          | vocabulary index of the first of them              |
/// | targets      | [rows]          | in the whole vocabulary                            |
/// | losses (out) | [rows]          | unscaled, the same on all ranks                    |
/// | dh (out)     | [rows, hidden]  | this rank's share, fp32; empty: no gradient wanted |
/// | dw (in, out) | [slice, hidden] | added to; empty: frozen                            |
/// | logits_tile  | [tile, slice]   | scratch                                            |
/// | maxima, sums | [ranks, tile], [ranks, 2 tile] | scratch                             |
template <class T>
void sliced_cross_entropy(const kernels::Exec& exec, const TensorGroup& group,
                          const ArenaMemory& memory, kernels::Mat<const T> h,
                          kernels::Mat<const T> w, int first, kernels::Vec<const int> targets,
                          float scale, kernels::Vec<float> losses, kernels::Mat<float> dh,
                          kernels::Mat<float> dw, kernels::Mat<float> logits_tile,
                          model::Tensor& maxima, model::Tensor& sums);

}  // namespace vlmark::engine
