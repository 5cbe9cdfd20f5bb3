#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace vlmark::data {

/// Tokens `left` and `right`, where they stand side by side, become `merged`.
struct MergeRule {
  int left = 0, right = 0, merged = 0;
};

/// Hash table from a pair of tokens to the rank of its merge rule. Open addressing at a load of at
/// most one half: a look-up of the inner loop is one multiplication and mostly one cache line.
class MergeTable {
 public:
  explicit MergeTable(const std::vector<MergeRule>& rules);
  static constexpr std::uint32_t none = ~std::uint32_t{0};
  /// Rank of the rule for (left, right), or `none`.
  std::uint32_t rank(int left, int right) const;

 private:
  struct Slot {
    std::uint64_t pair = ~std::uint64_t{0};
    std::uint32_t rank = none;
  };
  std::size_t first_slot(std::uint64_t pair) const;
  std::vector<Slot> slots_;
  int shift_ = 0;
};

/// Results for recent short pieces: a fixed table in which a new piece overwrites the one that
/// hashes to the same slot. Natural text repeats few pieces; the size never grows.
class PieceCache {
 public:
  PieceCache() : slots_(slots) {}
  struct Slot {
    std::uint8_t bytes = 0, count = 0;
    char piece[30];
    std::int32_t ids[8];
  };
  /// The slot of this piece, whoever is in it; null when the piece is too long for the cache.
  Slot* slot_of(std::string_view piece);
  static bool holds(const Slot& slot, std::string_view piece);
  static void store(Slot& slot, std::string_view piece, const int* ids, std::size_t count);

 private:
  static constexpr std::size_t slots = 1 << 14;  // times 64 byte: 1 MiB
  std::vector<Slot> slots_;
};

/// Working memory of one encoding at a time; reuse it.
struct BpeScratch {
  PieceCache cache;
  std::vector<int> ids;              // [symbols]
  std::vector<std::uint32_t> ranks;  // [symbols], of the pair (i, i + 1)
  std::vector<int> previous, next;   // [symbols], neighbours still alive
  std::vector<std::uint64_t> heap;   // rank * 2^32 + position
};

/// Byte-level byte-pair encoding of single pieces: starts from one token per byte and applies the
/// rule of lowest rank, leftmost first, until none applies.
/// Source: Sennrich et al., arXiv:1508.07909, algorithm 1, on bytes as in GPT-2.
class Bpe {
 public:
  /// `byte_ids[b]` is the token of byte b. `whole_pieces` (bytes -> id) is asked before any rule;
  /// leave it empty unless the tokenizer says `ignore_merges`.
  Bpe(const std::array<int, 256>& byte_ids, std::vector<MergeRule> rules,
      std::unordered_map<std::string, int> whole_pieces = {});

  /// Appends the tokens of `piece`. Cost for n bytes: O(n^2) with a tiny constant up to
  /// `short_piece` bytes, O(n log n) above. Throws ValueError from 2^31 bytes on.
  void encode(std::string_view piece, BpeScratch& scratch, std::vector<int>& ids) const;

 private:
  static constexpr std::size_t short_piece = 64;
  void merge_short(std::string_view piece, BpeScratch& scratch) const;
  void merge_long(std::string_view piece, BpeScratch& scratch) const;

  std::array<int, 256> byte_ids_;
  std::vector<MergeRule> rules_;
  MergeTable table_;
  std::unordered_map<std::string, int> whole_pieces_;
};

}  // namespace vlmark::data
