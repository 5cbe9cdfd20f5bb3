#pragma once

#include "parallel/communicator.hpp"
#include "src/plan/tensor_fill.hpp"

namespace vlmark::engine {

/// BEFORE: every rank of `model`, the ranks of one replica, holds its parts of the tensors.
/// AFTER:  rank 0 has been handed every element of the whole model once, in runs, its own first;
///         the others nothing.
/// `hold` hands out what a rank holds; `whole`: the table of the whole model, which rank 0's visit
/// sees. Collective.
void collect(parallel::Communicator& model, const plan::ParameterTable& whole,
             const plan::ParameterTable& held,
             const std::function<void(const plan::TensorVisit&)>& hold,
             const plan::TensorVisit& visit);

}  // namespace vlmark::engine
