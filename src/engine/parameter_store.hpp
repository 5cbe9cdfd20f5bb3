#pragma once

#include "kernels/types.hpp"
#include "src/plan/flat_layout.hpp"

namespace vlmark::engine {

/// Parameters and the gradient being formed, as matrices inside the flat buffers.
/// T: float or bf16, the type the layers read.
template <class T>
class ParameterStore {
 public:
  /// `gradients` may be null where nothing is trained.
  ParameterStore(const plan::ParameterTable& table, const plan::FlatLayout& layout, T* parameters,
                 float* gradients)
      : table_(table), layout_(layout), parameters_(parameters), gradients_(gradients) {}

  /// Backward passes add into this flat buffer from here on.
  void set_gradients(float* gradients) { gradients_ = gradients; }

  kernels::Mat<T> matrix(int id) const { return view(parameters_, id); }
  kernels::Vec<T> vector(int id) const { return flat(parameters_, id); }
  kernels::Mat<float> gradient(int id) const { return view(gradients_, id); }
  kernels::Vec<float> gradient_vector(int id) const { return flat(gradients_, id); }

 private:
  template <class U>
  kernels::Mat<U> view(U* base, int id) const {
    const plan::Parameter& p = table_[id];
    return kernels::Mat<U>(base + layout_.offset(id), static_cast<std::size_t>(p.rows),
                           static_cast<std::size_t>(p.columns));
  }
  template <class U>
  kernels::Vec<U> flat(U* base, int id) const {
    return kernels::Vec<U>(base + layout_.offset(id), static_cast<std::size_t>(table_[id].size()));
  }

  const plan::ParameterTable& table_;
  const plan::FlatLayout& layout_;
  T* parameters_;
  float* gradients_;
};

}  // namespace vlmark::engine
