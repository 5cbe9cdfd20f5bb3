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

/// Hands out elements [first, first + count) of the held part of `tensor`, which begin at `from`, in
/// runs that are contiguous in the whole tensor.
template <class T>
void visit_part(const kernels::Exec& exec, const plan::LogicalTensor& tensor, long first,
                long count, const T* from, const Staging& staging, const plan::TensorVisit& visit) {
  std::vector<float> values;
  for (long done = 0; done < count; done += tensor_piece) {
    values.resize(static_cast<std::size_t>(std::min(tensor_piece, count - done)));
    staging.load(exec, from + done, values);
    for_each_run(tensor, first + done, std::span<const float>(values),
                 [&](long whole, std::span<const float> run) { visit(tensor, whole, run); });
  }
}

/// Hands out what a flat buffer holds of every tensor.
template <class T>
void visit_flat(const plan::ParameterTable& table, const plan::FlatLayout& layout, const T* flat,
                const Staging& staging, const plan::TensorVisit& visit) {
  const kernels::Exec exec;
  for (const plan::LogicalTensor& tensor : table.tensors)
    visit_part(exec, tensor, 0, tensor.size(), flat + layout.range(tensor).begin, staging, visit);
}

/// Hands out what the slices of `rank` hold of every tensor; slice_of(b) is the first element of its
/// slice of bucket b.
template <class SliceOf>
void visit_slices(const kernels::Exec& exec, const plan::ParameterTable& table,
                  const plan::FlatLayout& layout, int rank, const SliceOf& slice_of,
                  const Staging& staging, const plan::TensorVisit& visit) {
  for (int b = 0; b < layout.buckets(); ++b) {
    const plan::Range slice = layout.slice(b, rank);
    for (const plan::LogicalTensor& tensor : table.tensors) {
      const plan::Range held = layout.range(tensor), part = plan::overlap(held, slice);
      if (part.size() == 0) continue;
      visit_part(exec, tensor, part.begin - held.begin, part.size(),
                 slice_of(b) + (part.begin - slice.begin), staging, visit);
    }
  }
}

}  // namespace vlmark::engine
