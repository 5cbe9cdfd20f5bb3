#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "kernels/fill.hpp"
#include "src/engine/staging.hpp"
#include "src/plan/flat_layout.hpp"
#include "src/plan/tensor_fill.hpp"

namespace vlmark::engine {

/// Elements of a tensor that are converted at a time: bounds the extra memory of loading.
inline constexpr long tensor_piece = 1 << 20;

/// Cuts `values`, the elements of the held part of `tensor` from `first` on, into runs that are
/// contiguous in the whole tensor: take(first element there, run).
template <class Value, class Take>
void for_each_run(const plan::LogicalTensor& tensor, long first, std::span<Value> values,
                  const Take& take) {
  tensor.for_each_run(first, static_cast<long>(values.size()), [&](long whole, long held, long n) {
    take(whole,
         values.subspan(static_cast<std::size_t>(held - first), static_cast<std::size_t>(n)));
  });
}

/// Fills the flat buffer `flat` [layout.parameter_elements()] tensor by tensor with the parts that
/// `table` holds; padding becomes zero.
template <class T>
void fill_flat(const plan::ParameterTable& table, const plan::FlatLayout& layout,
               const plan::TensorFill& fill, const Staging& staging, T* flat) {
  const kernels::Exec exec;
  kernels::fill(exec, 0.0f,
                kernels::Vec<T>(flat, static_cast<std::size_t>(layout.parameter_elements())));
  exec.fence("vlmark::fill_flat");
  std::vector<float> values;
  for (const plan::LogicalTensor& tensor : table.tensors) {
    T* to = flat + layout.range(tensor).begin;
    for (long first = 0; first < tensor.size(); first += tensor_piece) {
      values.resize(static_cast<std::size_t>(std::min(tensor_piece, tensor.size() - first)));
      for_each_run(tensor, first, std::span<float>(values),
                   [&](long whole, std::span<float> run) { fill(tensor, whole, run); });
      staging.store(exec, values, to + first);
    }
  }
}

/// Hands out what a flat buffer holds of every tensor, in runs that are contiguous in the whole
/// tensor.
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
      for_each_run(tensor, first, std::span<const float>(values),
                   [&](long whole, std::span<const float> run) { visit(tensor, whole, run); });
    }
  }
}

}  // namespace vlmark::engine
