#pragma once

#include "kernels/types.hpp"
#include "src/base/workspace.hpp"

namespace vlmark::kernels {

/// y[i,:] = x[source[i],:]. x: [rows, columns]; source: [n], each in [0, rows) (the caller has
/// checked); y: [n, columns], overwritten, not aliased with x. Throws ShapeError.
/// Cost: 0 flop, 2*n*columns*sizeof(T) + 4*n byte.
void gather_rows(const Exec& exec, Mat<const float> x, Vec<const int> source, Mat<float> y);
void gather_rows(const Exec& exec, Mat<const bf16> x, Vec<const int> source, Mat<bf16> y);

/// x[destination[i],:] = rows[i,:]; the other rows of x stay. rows: [n, columns]; destination: [n],
/// distinct, each in [0, x rows) (the caller has checked). Throws ShapeError.
/// Cost: 0 flop, 2*n*columns*sizeof(T) + 4*n byte.
void scatter_rows(const Exec& exec, Mat<const float> rows, Vec<const int> destination,
                  Mat<float> x);
void scatter_rows(const Exec& exec, Mat<const bf16> rows, Vec<const int> destination, Mat<bf16> x);

/// x[destination[i],:] = 0; the other rows of x stay. destination as in scatter_rows.
/// Cost: 0 flop, n*columns*sizeof(T) + 4*n byte.
void zero_rows(const Exec& exec, Mat<float> x, Vec<const int> destination);
void zero_rows(const Exec& exec, Mat<bf16> x, Vec<const int> destination);

/// y[t,:] += b. b: [columns]; y: [rows, columns]. Throws ShapeError.
/// Cost: rows*columns flop, (2*rows + 1)*columns*sizeof(T) byte.
void add_bias(const Exec& exec, Vec<const float> b, Mat<float> y);
void add_bias(const Exec& exec, Vec<const bf16> b, Mat<bf16> y);
void add_bias(const Exec& exec, Vec<const bf16> b, Mat<float> y);

/// y[t,:] = b. b: [columns]; y: [rows, columns]. Throws ShapeError.
/// Cost: 0 flop, (rows + 1)*columns*sizeof(T) byte.
void broadcast_row(const Exec& exec, Vec<const float> b, Mat<float> y);
void broadcast_row(const Exec& exec, Vec<const bf16> b, Mat<bf16> y);

/// Gradient of add_bias and broadcast_row: db[h] += sum_t dy[t,h], in an order that depends on `rows` alone.
///
/// | argument        | shape                                      | meaning                        |
/// |-----------------|--------------------------------------------|--------------------------------|
/// | dy              | [rows, columns]                            | gradient of y                  |
/// | db (in and out) | [columns] or empty                         | added to, fp32; empty: frozen  |
/// | workspace       | [column_sum_workspace_rows(rows), columns] | overwritten                    |
///
/// Throws ShapeError. Cost: rows*columns flop, rows*columns*sizeof(T) byte.
void bias_gradient(const Exec& exec, Mat<const float> dy, Vec<float> db, Mat<float> workspace);
void bias_gradient(const Exec& exec, Mat<const bf16> dy, Vec<float> db, Mat<float> workspace);

}  // namespace vlmark::kernels
