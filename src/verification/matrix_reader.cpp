#include "src/verification/matrix_reader.hpp"

#include <algorithm>

#include "src/base/contracts.hpp"
#include "src/engine/staging.hpp"

namespace vlmark::verification {
namespace {

constexpr long kBlockBytes = 16 << 20;

template <class T>
void widen_row(const std::byte* from, std::span<double> to) {
  const T* values = reinterpret_cast<const T*>(from);
  for (std::size_t i = 0; i < to.size(); ++i) to[i] = static_cast<double>(widen(values[i]));
}

}  // namespace

MatrixReader::MatrixReader(const kernels::Exec& exec, kernels::Operand<const void*> matrix,
                           DType type, long rows, long columns, bool staged)
    : exec_(exec),
      matrix_(matrix),
      type_(type),
      rows_(rows),
      columns_(columns),
      staged_(staged || !engine::host_reads_memory) {}

void MatrixReader::read(long row, long first, std::span<double> to) {
  expects(row >= 0 && row < rows_ && first >= 0 &&
          first + static_cast<long>(to.size()) <= columns_);
  const long size = static_cast<long>(size_of(type_)), pitch = matrix_.row * size;
  const auto* memory = static_cast<const std::byte*>(matrix_.data);
  const std::byte* at = memory + row * pitch;
  if (staged_) {
    if (row < begin_ || row >= end_) {
      begin_ = row;
      end_ = std::min(rows_, row + std::max(1L, kBlockBytes / std::max(1L, pitch)));
      // The last row ends with its columns: what follows may be nobody's.
      block_.resize(static_cast<std::size_t>((end_ - begin_ - 1) * pitch + columns_ * size));
      engine::copy_to_host(exec_, at, block_.data(), block_.size());
    }
    at = block_.data() + (row - begin_) * pitch;
  }
  at += first * size;
  type_ == DType::f32 ? widen_row<float>(at, to) : widen_row<bf16>(at, to);
}

}  // namespace vlmark::verification
