#pragma once

#include <span>
#include <vector>

#include "kernels/operand.hpp"
#include "kernels/types.hpp"
#include "src/base/dtype.hpp"

namespace vlmark::verification {

/// Reads rows of a matrix in the memory of kernels as doubles, from an operand as it stands when the
/// queue is empty. Where the host cannot read that memory, or `staged` asks for it, rows are copied
/// in blocks of at most 16 MiB. Reading in ascending order copies every row once.
class MatrixReader {
 public:
  MatrixReader(const kernels::Exec& exec, kernels::Operand<const void*> matrix, DType type,
               long rows, long columns, bool staged);

  long rows() const { return rows_; }
  long columns() const { return columns_; }
  /// Columns [first, first + to.size()) of `row`.
  void read(long row, long first, std::span<double> to);
  void read(long row, std::span<double> to) { read(row, 0, to); }

 private:
  const kernels::Exec& exec_;
  kernels::Operand<const void*> matrix_;
  DType type_;
  long rows_, columns_;
  bool staged_;
  long begin_ = 0, end_ = 0;  // rows that the block holds
  std::vector<std::byte> block_;
};

}  // namespace vlmark::verification
