#include "src/data/bpe.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <functional>
#include <limits>

#include "src/base/error.hpp"

namespace vlmark::data {
namespace {

std::uint64_t pair_key(int left, int right) {
  return std::uint64_t{static_cast<std::uint32_t>(left)} << 32 | static_cast<std::uint32_t>(right);
}

}  // namespace

MergeTable::MergeTable(const std::vector<MergeRule>& rules) {
  const std::size_t size = std::bit_ceil(std::max<std::size_t>(2 * rules.size(), 16));
  slots_.resize(size);
  shift_ = 64 - std::countr_zero(size);
  for (std::size_t rank = 0; rank < rules.size(); ++rank) {
    const std::uint64_t pair = pair_key(rules[rank].left, rules[rank].right);
    std::size_t i = first_slot(pair);
    while (slots_[i].rank != none) i = (i + 1) & (size - 1);
    slots_[i] = {pair, static_cast<std::uint32_t>(rank)};
  }
}

std::size_t MergeTable::first_slot(std::uint64_t pair) const {
  return (pair ^ pair >> 32) * 0x9e3779b97f4a7c15u >> shift_;  // Fibonacci hashing
}

std::uint32_t MergeTable::rank(int left, int right) const {
  const std::uint64_t pair = pair_key(left, right);
  for (std::size_t i = first_slot(pair);; i = (i + 1) & (slots_.size() - 1))
    if (slots_[i].pair == pair || slots_[i].rank == none) return slots_[i].rank;
}

PieceCache::Slot* PieceCache::slot_of(std::string_view piece) {
  if (piece.size() > sizeof(Slot::piece)) return nullptr;
  return &slots_[std::hash<std::string_view>{}(piece) & (slots - 1)];
}

bool PieceCache::holds(const Slot& slot, std::string_view piece) {
  return slot.bytes == piece.size() && std::memcmp(slot.piece, piece.data(), piece.size()) == 0;
}

void PieceCache::store(Slot& slot, std::string_view piece, const int* ids, std::size_t count) {
  if (count > std::size(slot.ids)) return;
  slot.bytes = static_cast<std::uint8_t>(piece.size());
  slot.count = static_cast<std::uint8_t>(count);
  std::copy(piece.begin(), piece.end(), slot.piece);
  std::copy(ids, ids + count, slot.ids);
}

Bpe::Bpe(const std::array<int, 256>& byte_ids, std::vector<MergeRule> rules,
         std::unordered_map<std::string, int> whole_pieces)
    : byte_ids_(byte_ids),
      rules_(std::move(rules)),
      table_(rules_),
      whole_pieces_(std::move(whole_pieces)) {}

void Bpe::encode(std::string_view piece, BpeScratch& scratch, std::vector<int>& ids) const {
  if (piece.empty()) return;
  if (piece.size() == 1) {
    ids.push_back(byte_ids_[static_cast<unsigned char>(piece[0])]);
    return;
  }
  if (piece.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
    throw ValueError("tokenizer: one piece has " + std::to_string(piece.size()) +
                     " bytes (positions are 32-bit, at most 2147483647). Split the text.");
  PieceCache::Slot* const slot = scratch.cache.slot_of(piece);
  if (slot && PieceCache::holds(*slot, piece)) {
    ids.insert(ids.end(), slot->ids, slot->ids + slot->count);
    return;
  }
  const auto whole =
      whole_pieces_.empty() ? whole_pieces_.end() : whole_pieces_.find(std::string(piece));
  if (whole != whole_pieces_.end())
    scratch.ids.assign(1, whole->second);
  else if (piece.size() <= short_piece)
    merge_short(piece, scratch);
  else
    merge_long(piece, scratch);
  ids.insert(ids.end(), scratch.ids.begin(), scratch.ids.end());
  if (slot) PieceCache::store(*slot, piece, scratch.ids.data(), scratch.ids.size());
}

void Bpe::merge_short(std::string_view piece, BpeScratch& scratch) const {
  auto& ids = scratch.ids;
  auto& ranks = scratch.ranks;
  ids.clear();
  for (const unsigned char byte : piece) ids.push_back(byte_ids_[byte]);
  const auto rank_at = [&](std::size_t i) {
    return i + 1 < ids.size() ? table_.rank(ids[i], ids[i + 1]) : MergeTable::none;
  };
  ranks.resize(ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) ranks[i] = rank_at(i);
  while (true) {
    const auto lowest = std::min_element(ranks.begin(), ranks.end());  // the first of equals
    if (*lowest == MergeTable::none) return;
    const std::size_t i = lowest - ranks.begin();
    ids[i] = rules_[*lowest].merged;
    ids.erase(ids.begin() + i + 1);
    ranks.erase(ranks.begin() + i + 1);
    ranks[i] = rank_at(i);
    if (i > 0) ranks[i - 1] = rank_at(i - 1);
  }
}

void Bpe::merge_long(std::string_view piece, BpeScratch& scratch) const {
  auto &ids = scratch.ids, &previous = scratch.previous, &next = scratch.next;
  auto& ranks = scratch.ranks;
  auto& heap = scratch.heap;
  const int size = static_cast<int>(piece.size());
  ids.clear();
  for (const unsigned char byte : piece) ids.push_back(byte_ids_[byte]);
  previous.resize(size), next.resize(size), ranks.resize(size);
  heap.clear();
  const auto refresh = [&](int i) {
    ranks[i] = next[i] < size ? table_.rank(ids[i], ids[next[i]]) : MergeTable::none;
    if (ranks[i] == MergeTable::none) return false;
    heap.push_back(std::uint64_t{ranks[i]} << 32 | static_cast<std::uint32_t>(i));
    return true;
  };
  for (int i = 0; i < size; ++i) previous[i] = i - 1, next[i] = i + 1;
  for (int i = 0; i < size; ++i) refresh(i);
  std::make_heap(heap.begin(), heap.end(), std::greater<>{});
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), std::greater<>{});
    const auto rank = static_cast<std::uint32_t>(heap.back() >> 32);
    const int i = static_cast<int>(heap.back() & 0xffffffffu);
    heap.pop_back();
    if (ranks[i] != rank) continue;  // the pair at i is gone or another one now
    const int gone = next[i];
    ids[i] = rules_[rank].merged;
    next[i] = next[gone];
    if (next[i] < size) previous[next[i]] = i;
    ids[gone] = -1;
    ranks[gone] = MergeTable::none;
    if (refresh(i)) std::push_heap(heap.begin(), heap.end(), std::greater<>{});
    const int before = previous[i];
    if (before >= 0 && refresh(before)) std::push_heap(heap.begin(), heap.end(), std::greater<>{});
  }
  std::erase(ids, -1);
}

}  // namespace vlmark::data
