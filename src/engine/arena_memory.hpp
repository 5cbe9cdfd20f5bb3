#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/types.hpp"
#include "src/model/tensor.hpp"

namespace vlmark::engine {

/// The memory under a rank's arena: allocated once, before the first step, at the size the planner
/// recorded. Pages that nothing ever touches are not resident.
class ArenaMemory {
 public:
  /// Throws DeviceError with both values where the machine refuses.
  explicit ArenaMemory(std::int64_t bytes);

  std::int64_t bytes() const { return bytes_; }

  template <class T>
  T* at(std::int64_t offset) const {
    return reinterpret_cast<T*>(memory_.data() + offset);
  }
  template <class T>
  kernels::Mat<T> matrix(const model::Tensor& x) const {
    expects_inside(x);
    return kernels::Mat<T>(at<T>(x.offset()), static_cast<std::size_t>(x.rows()),
                           static_cast<std::size_t>(x.columns()));
  }
  /// Row `row` of a tensor.
  template <class T>
  kernels::Vec<T> row(const model::Tensor& x, long row = 0) const {
    expects_inside(x);
    return kernels::Vec<T>(at<T>(x.offset()) + row * x.columns(),
                           static_cast<std::size_t>(x.columns()));
  }

 private:
  /// A step that was planned otherwise than it runs would write behind the arena.
  void expects_inside([[maybe_unused]] const model::Tensor& x) const {
    expects(x.offset() + x.rows() * x.columns() * static_cast<long>(size_of(x.type())) <= bytes_);
  }

  std::int64_t bytes_;
  Kokkos::View<std::byte*, kernels::Memory> memory_;
};

}  // namespace vlmark::engine
