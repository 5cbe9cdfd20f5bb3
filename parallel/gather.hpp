#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parallel/communicator.hpp"

namespace vlmark::parallel {

using Bytes = std::vector<std::byte>;

// Messages whose lengths differ by rank, blocking. For control data (errors, hashes, provenance):
// each costs one extra collective of lengths. A rank may pass nothing. All throw CommError.

/// BEFORE: rank i holds s_i.   AFTER: every rank holds {s_0, ..., s_{n-1}}.
/// Books 8 byte and, unless all are empty, one slice of the longest (slices are padded to it).
std::vector<std::string> all_gather_strings(Communicator& comm, std::string_view mine);
std::vector<Bytes> all_gather_bytes(Communicator& comm, std::span<const std::byte> mine);

/// BEFORE: rank i holds s_i.   AFTER: `root` holds {s_0, ..., s_{n-1}}, the others nothing.
/// Books 8 byte, and its own bytes on a rank that is not `root` and has any.
std::vector<std::string> gather_strings(Communicator& comm, std::string_view mine, int root = 0);
std::vector<Bytes> gather_bytes(Communicator& comm, std::span<const std::byte> mine, int root = 0);

/// BEFORE: `root` holds s.   AFTER: every rank holds s.   Books 8 byte and the bytes, on `root`.
std::string broadcast_string(Communicator& comm, std::string_view mine, int root = 0);

/// All-to-all with counts known on both sides: outgoing[i] goes to rank i, incoming[i] comes from
/// rank i. Both have one entry per rank; empty ones are not sent; one's own is copied.
/// Books the bytes of outgoing to other ranks. Throws ShapeError on another number of entries.
void exchange(Communicator& comm, std::span<const ConstBuffer> outgoing,
              std::span<const Buffer> incoming, int tag = 0);

/// As above with lengths found out first. Returns what rank i sent in entry i.
/// Books in addition 8 n byte (an all_gather of n lengths: for up to some thousand ranks).
std::vector<Bytes> exchange_bytes(Communicator& comm, std::span<const Bytes> outgoing, int tag = 0);

}  // namespace vlmark::parallel
