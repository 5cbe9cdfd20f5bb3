#pragma once

#include <vector>

#include "src/plan/parameters.hpp"

namespace vlmark::plan {

/// Half-open range of elements of a flat buffer.
struct Range {
  long begin = 0, end = 0;

  long size() const { return end - begin; }
  bool operator==(const Range&) const = default;
};
/// The elements that lie in both; empty (at the larger begin) where there are none.
Range overlap(Range a, Range b);

/// Half-open run of buckets.
struct BucketRange {
  int begin = 0, end = 0;

  bool operator==(const BucketRange&) const = default;
};

/// Where every parameter lies in the flat parameter and gradient buffers, and which slice of each
/// bucket every data-parallel rank owns (ZeRO-1: Rajbhandari et al., arXiv:1910.02054, section 5).
///
/// Parameters stand in reverse order of first use, the order in which their gradients become
/// ready, whatever the number of ranks; each starts on a multiple of `block`. A bucket lies in one
/// segment, so its gradients are complete when that segment's last backward pass is done. It ends
/// on a multiple of ranks * block and is cut into equal slices, so a block of a parameter never has
/// two owners and norms summed block by block do not depend on the number of ranks. Copies, which
/// have no gradient, lie behind all buckets.
class FlatLayout {
 public:
  static constexpr long block = 4096;

  /// `bucket_elements` is rounded up to a multiple of ranks * block; 0: one bucket a segment.
  FlatLayout(const ParameterTable& table, int ranks, long bucket_elements);

  int ranks() const { return ranks_; }
  long size() const { return size_; }  ///< elements with a gradient, padding included
  long parameter_elements() const { return parameter_elements_; }  ///< with copies
  long offset(int parameter) const { return offsets_[static_cast<std::size_t>(parameter)]; }
  /// Elements of a logical tensor.
  Range range(const LogicalTensor& tensor) const;
  int buckets() const { return static_cast<int>(buckets_.size()); }
  Range bucket(int b) const { return buckets_[static_cast<std::size_t>(b)]; }
  int segment_of_bucket(int b) const { return segments_[static_cast<std::size_t>(b)]; }
  /// Empty for a segment without a gradient.
  BucketRange buckets_of(int segment) const;
  /// Elements of the buckets of a segment.
  Range segment(int segment) const;
  /// What `rank` owns of bucket `b`.
  Range slice(int b, int rank) const;
  /// Elements one rank owns over all buckets: size() / ranks().
  long slice_elements() const { return size_ / ranks_; }
  /// Elements of the largest bucket.
  long largest_bucket() const;

 private:
  int ranks_;
  long size_ = 0, parameter_elements_ = 0;
  std::vector<long> offsets_;
  std::vector<Range> buckets_;
  std::vector<int> segments_;  // [buckets]
};

}  // namespace vlmark::plan
