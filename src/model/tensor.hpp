#pragma once

#include <cstdint>
#include <utility>

#include "src/base/contracts.hpp"
#include "src/base/dtype.hpp"
#include "src/plan/arena.hpp"

namespace vlmark::model {

/// A matrix in the arena: extents, element type and place; its lifetime is its C++ scope. Says
/// nothing about contents: those exist only where an executing Ops put memory under the arena.
class Tensor {
 public:
  Tensor() = default;
  Tensor(plan::Arena& arena, long rows, long columns, DType type)
      : arena_(&arena),
        rows_(rows),
        columns_(columns),
        type_(type),
        offset_(arena.acquire(rows * columns * static_cast<std::int64_t>(size_of(type)))) {}
  Tensor(Tensor&& other) noexcept { swap(other); }
  Tensor& operator=(Tensor&& other) noexcept {
    Tensor(std::move(other)).swap(*this);
    return *this;
  }
  Tensor(const Tensor&) = delete;
  Tensor& operator=(const Tensor&) = delete;
  ~Tensor() {
    if (arena_) arena_->release(offset_);
  }

  bool empty() const { return arena_ == nullptr; }
  long rows() const { return rows_; }
  long columns() const { return columns_; }
  DType type() const { return type_; }
  std::int64_t offset() const { return offset_; }

  /// The same elements read as [rows, columns].
  void reshape(long rows, long columns) {
    expects(rows * columns == rows_ * columns_);
    rows_ = rows;
    columns_ = columns;
  }

 private:
  void swap(Tensor& other) noexcept {
    std::swap(arena_, other.arena_);
    std::swap(rows_, other.rows_);
    std::swap(columns_, other.columns_);
    std::swap(type_, other.type_);
    std::swap(offset_, other.offset_);
  }

  plan::Arena* arena_ = nullptr;
  long rows_ = 0, columns_ = 0;
  DType type_ = DType::f32;
  std::int64_t offset_ = 0;
};

}  // namespace vlmark::model
