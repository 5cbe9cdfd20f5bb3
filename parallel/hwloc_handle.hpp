#pragma once
// Private to the box: includes hwloc.h.
#include <hwloc.h>

#include <string>
#include <vector>

#include "parallel/topology.hpp"

namespace vlmark::parallel {

/// A topology of hwloc and its release, with the devices that lstopo shows.
class HwlocTopology {
 public:
  /// Of this machine, or of the source. What is given and cannot be read throws IoError (a file) or
  /// ConfigError (a description); a machine that hwloc cannot read is not `loaded`.
  explicit HwlocTopology(const TopologySource& source = {});
  ~HwlocTopology();
  HwlocTopology(const HwlocTopology&) = delete;
  HwlocTopology& operator=(const HwlocTopology&) = delete;

  bool loaded() const { return loaded_; }
  hwloc_topology_t get() const { return topology_; }

 private:
  hwloc_topology_t topology_ = nullptr;
  bool loaded_ = false;
};

/// "0-3,8"; empty for no set.
std::string list_of(hwloc_const_bitmap_t set);

/// A set of hwloc and its release.
class HwlocBitmap {
 public:
  HwlocBitmap() = default;
  ~HwlocBitmap() { hwloc_bitmap_free(set_); }
  HwlocBitmap(const HwlocBitmap&) = delete;
  HwlocBitmap& operator=(const HwlocBitmap&) = delete;

  operator hwloc_bitmap_t() const { return set_; }
  std::vector<int> values() const;

 private:
  hwloc_bitmap_t set_ = hwloc_bitmap_alloc();
};

}  // namespace vlmark::parallel
