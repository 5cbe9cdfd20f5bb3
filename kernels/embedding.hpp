#pragma once

#include "kernels/sorted_order.hpp"
#include "kernels/types.hpp"

namespace vlmark::kernels {

/// Rows of the embedding: y[t,:] = table[ids[t],:].
///
/// | argument | shape            | meaning                                    |
/// |----------|------------------|--------------------------------------------|
/// | ids      | [tokens]         | in [0, vocab); the caller has checked them |
/// | table    | [vocab, hidden]  | embedding                                  |
/// | y (out)  | [tokens, hidden] | overwritten; not aliased with table        |
///
/// Throws ShapeError. Cost: 0 flop, 2*tokens*hidden*sizeof(T) + 4*tokens byte.
void embedding_gather(const Exec& exec, Vec<const int> ids, Mat<const float> table, Mat<float> y);
void embedding_gather(const Exec& exec, Vec<const int> ids, Mat<const bf16> table, Mat<bf16> y);

/// Gradient of embedding_gather: d_table[ids[t],:] += dy[t,:] for every t in `order`.
///
/// One team per run of equal ids adds its rows one after the other, as a serial loop over rising t
/// would: no atomics, and the same bits on any number of threads.
///
/// | argument             | shape            | meaning                                       |
/// |----------------------|------------------|-----------------------------------------------|
/// | dy                   | [tokens, hidden] | gradient of y                                 |
/// | order                | [<= tokens]      | sorted_order(ids): tokens left out add nothing|
/// | ids                  | [tokens]         | those named by `order` lie in [0, vocab)      |
/// | d_table (in and out) | [vocab, hidden]  | added to, fp32                                |
///
/// Throws ShapeError. Cost: tokens*hidden flop, tokens*hidden*(sizeof(T) + 8) byte.
void embedding_scatter_add(const Exec& exec, Mat<const float> dy, Vec<const int> order,
                           Vec<const int> ids, Mat<float> d_table);
void embedding_scatter_add(const Exec& exec, Mat<const bf16> dy, Vec<const int> order,
                           Vec<const int> ids, Mat<float> d_table);

}  // namespace vlmark::kernels
