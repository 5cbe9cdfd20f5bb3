#pragma once

// Private to the box: includes hdf5.h.

#include "parallel/communicator.hpp"
#include "src/io/hdf5_writer.hpp"
#include "src/io/rank_samples.hpp"

namespace vlmark::io {

/// Writes the tables of a record: /trace, /verification, /gemm_kernels (rows of all ranks, rank by
/// rank, with a column `rank`) and /plan/values (rows of rank 0). Collective.
void write_tables(Hdf5Writer& file, parallel::Communicator& comm, const RankSamples& samples);

}  // namespace vlmark::io
