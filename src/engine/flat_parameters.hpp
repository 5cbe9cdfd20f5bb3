#pragma once

#include <algorithm>
#include <vector>

#include "kernels/fill.hpp"
#include "src/engine/staging.hpp"
#include "src/plan/flat_layout.hpp"
#include "src/plan/tensor_fill.hpp"

namespace vlmark::engine {

/// Elements of a tensor that are converted at a time: bounds the extra memory of loading.
inline constexpr long tensor_piece = 1 << 20;

/// Fills the flat buffer `flat` [layout.size()] tensor by tensor; padding becomes zero.
template <class T>
void fill_flat(const plan::ParameterTable& table, const plan::FlatLayout& layout,
               const plan::TensorFill& fill, const Staging& staging, T* flat) {
  const kernels::Exec exec;
  kernels::fill(exec, 0.0f, kernels::Vec<T>(flat, static_cast<std::size_t>(layout.size())));
  exec.fence("vlmark::fill_flat");
  std::vector<float> values;
  for (const plan::LogicalTensor& tensor : table.tensors) {
    T* to = flat + layout.range(tensor).begin;
    for (long first = 0; first < tensor.size(); first += tensor_piece) {
      values.resize(static_cast<std::size_t>(std::min(tensor_piece, tensor.size() - first)));
      fill(tensor, first, values);
      staging.store(exec, values, to + first);
    }
  }
}

/// Hands out the flat buffer tensor by tensor.
template <class T>
void visit_flat(const plan::ParameterTable& table, const plan::FlatLayout& layout, const T* flat,
                const Staging& staging, const plan::TensorVisit& visit) {
  const kernels::Exec exec;
  std::vector<float> values;
  for (const plan::LogicalTensor& tensor : table.tensors) {
    const T* from = flat + layout.range(tensor).begin;
    for (long first = 0; first < tensor.size(); first += tensor_piece) {
      values.resize(static_cast<std::size_t>(std::min(tensor_piece, tensor.size() - first)));
      staging.load(exec, from + first, values);
      visit(tensor, first, values);
    }
  }
}

}  // namespace vlmark::engine
