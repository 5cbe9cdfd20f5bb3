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
        present_(true),
        rows_(rows),
        columns_(columns),
        type_(type),
        offset_(arena.acquire(rows * columns * static_cast<std::int64_t>(size_of(type)))) {}
  /// A matrix that lies at `offset` for longer than any scope, and is not released.
  static Tensor at(std::int64_t offset, long rows, long columns, DType type) {
    Tensor x;
    x.present_ = true;
    x.rows_ = rows, x.columns_ = columns, x.type_ = type, x.offset_ = offset;
    return x;
  }
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

  bool empty() const { return !present_; }
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
    std::swap(present_, other.present_);
    std::swap(rows_, other.rows_);
    std::swap(columns_, other.columns_);
    std::swap(type_, other.type_);
    std::swap(offset_, other.offset_);
  }

  plan::Arena* arena_ = nullptr;
  bool present_ = false;
  long rows_ = 0, columns_ = 0;
  DType type_ = DType::f32;
  std::int64_t offset_ = 0;
};

}  // namespace vlmark::model
