#pragma once

#include <algorithm>
#include <vector>

#include "kernels/convert.hpp"
#include "kernels/fill.hpp"
#include "src/plan/flat_layout.hpp"
#include "src/plan/tensor_fill.hpp"

namespace vlmark::engine {

/// Elements of a tensor that are converted at a time: bounds the extra memory of loading.
inline constexpr long tensor_piece = 1 << 20;

/// Fills the flat buffer `flat` [layout.size()] tensor by tensor; padding becomes zero.
template <class T>
void fill_flat(const plan::ParameterTable& table, const plan::FlatLayout& layout,
               const plan::TensorFill& fill, T* flat) {
  const kernels::Exec exec;
  kernels::fill(exec, 0.0f, kernels::Vec<T>(flat, static_cast<std::size_t>(layout.size())));
  std::vector<float> values;
  for (const plan::LogicalTensor& tensor : table.tensors) {
    T* to = flat + layout.range(tensor).begin;
    for (long first = 0; first < tensor.size(); first += tensor_piece) {
      values.resize(static_cast<std::size_t>(std::min(tensor_piece, tensor.size() - first)));
      fill(tensor, first, values);
      kernels::convert(exec, kernels::Vec<const float>(values.data(), values.size()),
                       kernels::Vec<T>(to + first, values.size()));
      exec.fence("vlmark::fill_flat");
    }
  }
}

/// Hands out the flat buffer tensor by tensor.
template <class T>
void visit_flat(const plan::ParameterTable& table, const plan::FlatLayout& layout, const T* flat,
                const plan::TensorVisit& visit) {
  const kernels::Exec exec;
  std::vector<float> values;
  for (const plan::LogicalTensor& tensor : table.tensors) {
    const T* from = flat + layout.range(tensor).begin;
    for (long first = 0; first < tensor.size(); first += tensor_piece) {
      values.resize(static_cast<std::size_t>(std::min(tensor_piece, tensor.size() - first)));
      kernels::convert(exec, kernels::Vec<const T>(from + first, values.size()),
                       kernels::Vec<float>(values.data(), values.size()));
      exec.fence("vlmark::visit_flat");
      visit(tensor, first, values);
    }
  }
}

}  // namespace vlmark::engine
