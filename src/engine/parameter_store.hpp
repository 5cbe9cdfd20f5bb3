#pragma once

#include <vector>

#include "kernels/types.hpp"
#include "src/base/contracts.hpp"
#include "src/plan/flat_layout.hpp"

namespace vlmark::engine {

/// Parameters and the gradient being formed, as matrices inside the flat buffers.
/// T: float or bf16, the type the layers read.
template <class T>
class ParameterStore {
 public:
  ParameterStore(const plan::ParameterTable& table, const plan::FlatLayout& layout, T* parameters)
      : table_(table),
        layout_(layout),
        parameters_(parameters),
        gradients_(static_cast<std::size_t>(table.shard.segments()), nullptr) {}

  /// Gradients of the segment's parameters are added to this memory from here on; `first` is that
  /// of layout.segment(segment).
  void set_gradients(int segment, float* first) {
    gradients_[static_cast<std::size_t>(segment)] = first;
  }

  kernels::Mat<T> matrix(int id) const { return view(parameter(id), id); }
  kernels::Vec<T> vector(int id) const { return flat(parameter(id), id); }
  kernels::Mat<float> gradient(int id) const { return view(gradient_of(id), id); }
  kernels::Vec<float> gradient_vector(int id) const { return flat(gradient_of(id), id); }

 private:
  template <class U>
  kernels::Mat<U> view(U* first, int id) const {
    const plan::Parameter& p = table_[id];
    return kernels::Mat<U>(first, static_cast<std::size_t>(p.rows),
                           static_cast<std::size_t>(p.columns));
  }
  template <class U>
  kernels::Vec<U> flat(U* first, int id) const {
    return kernels::Vec<U>(first, static_cast<std::size_t>(table_[id].size()));
  }
  T* parameter(int id) const { return parameters_ + layout_.offset(id); }
  float* gradient_of(int id) const {
    const int segment = table_[id].segment;
    float* first = gradients_[static_cast<std::size_t>(segment)];
    expects(first != nullptr);
    return first + (layout_.offset(id) - layout_.segment(segment).begin);
  }

  const plan::ParameterTable& table_;
  const plan::FlatLayout& layout_;
  T* parameters_;
  std::vector<float*> gradients_;  // [segment]
};

}  // namespace vlmark::engine
