#pragma once

#include <cstdint>
#include <span>

#include "src/io/journal_records.hpp"
#include "src/plan/shapes.hpp"

namespace vlmark::recipe {

/// What micro-batches hold (rule R1), by kind.
struct Work {
  std::int64_t tokens[io::kTokenKinds] = {};

  std::int64_t operator[](io::TokenKind kind) const { return tokens[static_cast<int>(kind)]; }
  /// Text and merged vision positions that enter the decoder.
  std::int64_t positions() const {
    return (*this)[io::TokenKind::text] + (*this)[io::TokenKind::vision];
  }
};
/// `merge_unit`: patches of a vision position.
Work work_of(std::span<const plan::MicroBatchShape> shapes, int merge_unit);

}  // namespace vlmark::recipe
