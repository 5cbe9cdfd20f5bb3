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
  const long unit = ranks * block;
  const auto cut = [&](int segment, long end) {
    const long length = bucket_elements == 0 ? end - size_ : round_up(bucket_elements, unit);
    for (; size_ < end; size_ = buckets_.back().end) {
      buckets_.push_back({size_, std::min(size_ + length, end)});
      segments_.push_back(segment);
    }
  };
  int last = 0;
  for (const Parameter& parameter : table.parameters) last = std::max(last, parameter.segment);
  for (int segment = last; segment >= 0; --segment) {
    long end = size_;
    for (std::size_t i = table.parameters.size(); i-- > 0;) {
      const Parameter& parameter = table.parameters[i];
      if (parameter.copy || parameter.segment != segment) continue;
      offsets_[i] = end;
      end = round_up(end + parameter.size(), block);
    }
    cut(segment, round_up(end, unit));
  }
  parameter_elements_ = size_;
  for (std::size_t i = 0; i < table.parameters.size(); ++i) {
    if (!table.parameters[i].copy) continue;
    offsets_[i] = parameter_elements_;
    parameter_elements_ += round_up(table.parameters[i].size(), block);
  }
}

Range FlatLayout::range(const LogicalTensor& tensor) const {
  const long begin = offset(tensor.parameter) + tensor.offset;
  return {begin, begin + tensor.size()};
}

BucketRange FlatLayout::buckets_of(int segment) const {
  const auto first = std::find(segments_.begin(), segments_.end(), segment);
  const auto last = std::find_if(first, segments_.end(), [&](int s) { return s != segment; });
  return {static_cast<int>(first - segments_.begin()), static_cast<int>(last - segments_.begin())};
}

Range FlatLayout::segment(int segment) const {
  const BucketRange b = buckets_of(segment);
  return b.begin == b.end ? Range{} : Range{bucket(b.begin).begin, bucket(b.end - 1).end};
}

long FlatLayout::largest_bucket() const {
  long largest = 0;
  for (int b = 0; b < buckets(); ++b) largest = std::max(largest, bucket(b).size());
  return largest;
}

Range FlatLayout::slice(int b, int rank) const {
  const Range whole = bucket(b);
  const long length = whole.size() / ranks_;
  return {whole.begin + rank * length, whole.begin + (rank + 1) * length};
}

}  // namespace vlmark::plan
