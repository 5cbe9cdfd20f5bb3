#include "src/plan/flat_layout.hpp"

#include <algorithm>

#include "src/base/contracts.hpp"

namespace vlmark::plan {
namespace {

long round_up(long value, long multiple) { return (value + multiple - 1) / multiple * multiple; }

}  // namespace

Range overlap(Range a, Range b) {
  const long begin = std::max(a.begin, b.begin);
  return {begin, std::max(begin, std::min(a.end, b.end))};
}

FlatLayout::FlatLayout(const ParameterTable& table, int ranks, long bucket_elements)
    : ranks_(ranks), offsets_(table.parameters.size()) {
  expects(ranks > 0 && bucket_elements >= 0);
  long end = 0;
  for (std::size_t i = table.parameters.size(); i-- > 0;) {
    offsets_[i] = end;
    end = round_up(end + table.parameters[i].size(), block);
  }
  const long unit = ranks * block;
  size_ = round_up(std::max(end, 1L), unit);
  const long length = bucket_elements == 0 ? size_ : round_up(bucket_elements, unit);
  for (long begin = 0; begin < size_; begin += length)
    buckets_.push_back({begin, std::min(begin + length, size_)});
}

Range FlatLayout::range(const LogicalTensor& tensor) const {
  const long begin = offset(tensor.parameter) + tensor.offset;
  return {begin, begin + tensor.size()};
}

Range FlatLayout::slice(int b, int rank) const {
  const Range whole = bucket(b);
  const long length = whole.size() / ranks_;
  return {whole.begin + rank * length, whole.begin + (rank + 1) * length};
}

}  // namespace vlmark::plan
