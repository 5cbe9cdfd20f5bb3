#pragma once

#include <Kokkos_Core.hpp>
#include <cstddef>

#include "kernels/device_traits.hpp"
#include "kernels/pack.hpp"
#include "kernels/types.hpp"

// The only place where teams and vector loops stand. Every order of summation is a function of the
// number of elements alone: neither the number of threads nor the team size changes a bit.

namespace vlmark::kernels {

using Team = Kokkos::TeamPolicy<Exec>::member_type;

/// Partial sums kept side by side; a multiple of every vector width in use.
inline constexpr int kLanes = 16;
/// Additions into one partial sum before it is set aside: bounds the rounding errors of a sum of n
/// elements to kLaneSteps + n / (kLanes * kLaneSteps) instead of n / kLanes.
inline constexpr int kLaneSteps = 64;
/// Elements that one team handles of a long vector.
inline constexpr int kChunk = 4096;

/// Partial sums of packed_sum, and the scratch of a team that calls it.
inline constexpr int kPackedLanes = 1024;
inline constexpr std::size_t kPackedSumScratch =
    (kPackedLanes + kPackedLanes / 8) * sizeof(double) + 2 * alignof(double);

/// The kLanes partial sums of one row.
template <class Sum>
struct Lanes {
  Sum lane[kLanes] = {};
  KOKKOS_INLINE_FUNCTION Lanes& operator+=(const Lanes& other) {
    for (int l = 0; l < kLanes; ++l) lane[l] += other.lane[l];
    return *this;
  }
};

}  // namespace vlmark::kernels

template <class T>  // clang++ 14 takes the name Sum for Kokkos::Sum
struct Kokkos::reduction_identity<vlmark::kernels::Lanes<T>> {
  KOKKOS_INLINE_FUNCTION static vlmark::kernels::Lanes<T> sum() { return {}; }
};

namespace vlmark::kernels {

/// Members of every team; 0: the back end's choice (device_traits.hpp), which on a host is one,
/// that never waits for another. Tests set 2 and 4, which need as many threads, to show a missing
/// barrier.
inline int forced_team_size = 0;

/// `teams` teams of the size in force; `usual` is the back end's choice.
template <class... Properties>
Kokkos::TeamPolicy<Exec, Properties...> team_policy(const Exec& exec, int teams, int usual) {
  using Policy = Kokkos::TeamPolicy<Exec, Properties...>;
  const int size = forced_team_size > 0 ? forced_team_size : usual;
  return size > 0 ? Policy(exec, teams, size) : Policy(exec, teams, Kokkos::AUTO);
}

/// Teams for rows, with the scratch that row_sum needs on a device.
inline auto row_policy(const Exec& exec, int rows) {
  auto policy = team_policy(exec, rows, kRowTeam);
  if constexpr (kOnDevice) policy.set_scratch_size(0, Kokkos::PerTeam(kPackedSumScratch));
  return policy;
}

/// body(team, row) for every row, one team each. `label` starts with "vlmark::".
template <class Body>
void for_each_row(const char* label, const Exec& exec, int rows, const Body& body) {
  if (rows == 0) return;
  Kokkos::parallel_for(
      label, row_policy(exec, rows),
      KOKKOS_LAMBDA(const Team& team) { body(team, team.league_rank()); });
}

/// body(team, begin, count) for chunks [begin, begin + count) of a vector of any length n, one team
/// each; a chunk has kChunk elements but for the last.
template <class Body>
void for_each_chunk(const char* label, const Exec& exec, std::size_t n, const Body& body) {
  const auto chunks = static_cast<int>((n + kChunk - 1) / kChunk);
  if (chunks == 0) return;
  Kokkos::parallel_for(
      label, team_policy(exec, chunks, kRowTeam), KOKKOS_LAMBDA(const Team& team) {
        const std::size_t begin = static_cast<std::size_t>(team.league_rank()) * kChunk;
        body(team, begin, static_cast<int>(n - begin < kChunk ? n - begin : kChunk));
      });
}

/// body(i) for i in [0, n) of a vector of any length, in chunks of kChunk.
template <class Body>
void for_each_element(const char* label, const Exec& exec, std::size_t n, const Body& body) {
  for_each_chunk(
      label, exec, n, KOKKOS_LAMBDA(const Team& team, std::size_t begin, int count) {
        Kokkos::parallel_for(Kokkos::TeamVectorRange(team, count),
                             [&](int i) { body(begin + static_cast<std::size_t>(i)); });
      });
}

/// f(i) for i in [0, n), shared out over the team. No barrier; the same member gets the same i in
/// every call with the same n.
template <class F>
KOKKOS_INLINE_FUNCTION void for_each(const Team& team, int n, const F& f) {
  Kokkos::parallel_for(Kokkos::TeamVectorRange(team, n), f);
}

/// f(pack) for packs that together are the elements [0, n). No barrier; the same member gets the
/// same elements in every call with the same n and packing.
template <int width, class F>
KOKKOS_INLINE_FUNCTION void for_each(const Team& team, int n, Packing<width> packing, const F& f) {
  if constexpr (width > 1) {
    const int packs = packing.aligned ? n / width : 0, rest = packs * width;
    for_each(team, packs, [&](int p) { f(Pack<width>{p * width}); });
    for_each(team, n - rest, [&](int i) { f(Pack<1>{rest + i}); });
  } else {
    for_each(team, n, [&](int i) { f(Pack<1>{i}); });
  }
}

/// f(block, pack) for packs that together are the elements [0, n), for each of `blocks` blocks. No
/// barrier.
template <int width, class F>
KOKKOS_INLINE_FUNCTION void for_each_block(const Team& team, int blocks, int n,
                                           Packing<width> packing, const F& f) {
  if constexpr (width > 1) {
    // One loop: a block alone would leave most of a device's team idle.
    if (packing.aligned && n % width == 0)
      return for_each(team, blocks * (n / width),
                      [&](int p) { f(p / (n / width), Pack<width>{p % (n / width) * width}); });
  }
  for (int block = 0; block < blocks; ++block)
    for_each(team, n, [&](int i) { f(block, Pack<1>{i}); });
}

/// Sum of the elements, neighbours first: ((x0 + x1) + (x2 + x3)) + ...
template <int n, class Sum>
KOKKOS_INLINE_FUNCTION Sum tree_sum(Values<Sum, n> x) {
#pragma unroll
  for (int stride = 1; stride < n; stride *= 2)
#pragma unroll
    for (int i = 0; i < n; i += 2 * stride) x.of[i] += x.of[i + stride];
  return x.of[0];
}

/// row_sum of a host: Lane l sums the elements i = l mod kLanes in rising order, then the lanes are
/// joined as a tree: one running sum could not be vectorised without changing its order.
template <class Sum, class F>
KOKKOS_INLINE_FUNCTION Sum lane_sum(const Team& team, int n, const F& f) {
  constexpr int block = kLanes * kLaneSteps;
  Lanes<Sum> total;
  if (team.team_size() == 1) {
    for (int begin = 0; begin < n; begin += block) {
      const int end = n - begin < block ? n : begin + block;
      Sum lane[kLanes] = {};
      int i = begin;
      for (; i + kLanes <= end; i += kLanes) {
#pragma omp simd  // else gcc unrolls some of these loops before it could vectorise them
        for (int l = 0; l < kLanes; ++l) lane[l] += f(i + l);
      }
      for (int l = 0; i + l < end; ++l) lane[l] += f(i + l);
      for (int l = 0; l < kLanes; ++l) total.lane[l] += lane[l];
    }
  } else {
    // Whole lanes are shared out, so each is added to zeros only and no order can matter.
    Kokkos::parallel_reduce(
        Kokkos::TeamThreadRange(team, kLanes),
        [&](int l, Lanes<Sum>& mine) {
          for (int begin = 0; begin < n; begin += block) {
            const int end = n - begin < block ? n : begin + block;
            Sum lane = 0;
            for (int i = begin + l; i < end; i += kLanes) lane += f(i);
            mine.lane[l] += lane;
          }
        },
        Kokkos::Sum<Lanes<Sum>>(total));
  }
  for (int width = kLanes / 2; width > 0; width /= 2)
    for (int l = 0; l < width; ++l) total.lane[l] += total.lane[l + width];
  return total.lane[0];
}

/// row_sum of a device: kPackedLanes lanes, enough for a whole team, joined as a tree of neighbours.
/// The team needs kPackedSumScratch byte of scratch.
template <class Sum, int width, class F>
KOKKOS_INLINE_FUNCTION Sum packed_sum(const Team& team, int n, Packing<width> packing, const F& f) {
  auto scratch = team.team_scratch(0);  // a copy: every sum of the team takes the same place
  const auto place = [&](int sums) {
    return static_cast<Sum*>(scratch.get_shmem_aligned(sums * sizeof(Sum), alignof(Sum)));
  };
  Sum *sums = place(kPackedLanes), *joined = place(kPackedLanes / 8);
  const bool in_packs = packing.aligned && n % width == 0;
  team.team_barrier();  // a member may still read the last sum
  if (in_packs)
    for_each(team, kPackedLanes / width, [&](int group) {
      Values<Sum, width> lane{};
      for (int i = group * width; i < n; i += kPackedLanes) {
        const auto x = f(Pack<width>{i});
#pragma unroll
        for (int j = 0; j < width; ++j) lane.of[j] += x[j];
      }
      sums[group] = tree_sum(lane);
    });
  else
    for_each(team, kPackedLanes, [&](int l) {
      Sum lane = 0;
      for (int i = l; i < n; i += kPackedLanes) lane += f(Pack<1>{i})[0];
      sums[l] = lane;
    });
  team.team_barrier();
  constexpr int fan_in = 8, last = 16;
  int count = in_packs ? kPackedLanes / width : kPackedLanes;
  for (; count > last; count /= fan_in) {
    for_each(team, count / fan_in, [&](int from_end) {
      // From the end: on a host members then read what others wrote, as they do on a device, and
      // the tests of barriers see it.
      const int k = count / fan_in - 1 - from_end;
      joined[k] = tree_sum(Pack<fan_in>{}.map([&](int j) { return sums[fan_in * k + j]; }));
    });
    team.team_barrier();
    Sum* const swapped = sums;
    sums = joined;
    joined = swapped;
  }
  return tree_sum(Pack<last>{}.map([&](int j) { return j < count ? sums[j] : Sum{}; }));
}

/// Sum of f(pack) over packs that together are the elements [0, n), known to every member of the
/// team afterwards; f returns Values and sees each element once. The order is a function of n alone,
/// another one on a host (lane_sum) than on a device (packed_sum).
template <class Sum = float, int width, class F>
KOKKOS_INLINE_FUNCTION Sum row_sum(const Team& team, int n, Packing<width> packing, const F& f) {
  if constexpr (kOnDevice)
    return packed_sum<Sum>(team, n, packing, f);
  else
    return lane_sum<Sum>(team, n, [&](int i) { return f(Pack<1>{i})[0]; });
}

/// Joins partial results of row_max. Not Kokkos::Max: its identity is the lowest finite number, which
/// a row of -infinity would come back as.
struct Largest {
  using reducer = Largest;
  using value_type = float;
  using result_view_type = Kokkos::View<float, Kokkos::HostSpace, Kokkos::MemoryUnmanaged>;
  float& result;

  KOKKOS_INLINE_FUNCTION void join(float& a, const float& b) const { a = b > a ? b : a; }
  KOKKOS_INLINE_FUNCTION void init(float& x) const { x = -Kokkos::Experimental::infinity_v<float>; }
  KOKKOS_INLINE_FUNCTION float& reference() const { return result; }
  KOKKOS_INLINE_FUNCTION result_view_type view() const { return result_view_type(&result); }
  KOKKOS_INLINE_FUNCTION bool references_scalar() const { return true; }
};

template <class F>
KOKKOS_INLINE_FUNCTION float lane_max(const Team& team, int n, const F& f) {
  constexpr float lowest = -Kokkos::Experimental::infinity_v<float>;
  Lanes<float> largest;
  if (team.team_size() == 1) {
    float lane[kLanes];
    for (int l = 0; l < kLanes; ++l) lane[l] = lowest;
    int i = 0;
    for (; i + kLanes <= n; i += kLanes) {
#pragma omp simd
      for (int l = 0; l < kLanes; ++l) {
        const float value = f(i + l);
        lane[l] = value > lane[l] ? value : lane[l];
      }
    }
    for (; i < n; ++i) {
      const float value = f(i);
      lane[0] = value > lane[0] ? value : lane[0];
    }
    for (int l = 0; l < kLanes; ++l) largest.lane[l] = lane[l];
  } else {
    // Whole lanes again, joined by sums with zeros: the identity of Kokkos::Max is the lowest
    // finite number, which a row of -infinity would come back as.
    Kokkos::parallel_reduce(
        Kokkos::TeamThreadRange(team, kLanes),
        [&](int l, Lanes<float>& mine) {
          float lane = lowest;
          for (int i = l; i < n; i += kLanes) {
            const float value = f(i);
            lane = value > lane ? value : lane;
          }
          mine.lane[l] += lane;
        },
        Kokkos::Sum<Lanes<float>>(largest));
  }
  float result = lowest;
  for (int l = 0; l < kLanes; ++l) result = largest.lane[l] > result ? largest.lane[l] : result;
  return result;
}

template <int width, class F>
KOKKOS_INLINE_FUNCTION float packed_max(const Team& team, int n, Packing<width> packing,
                                        const F& f) {
  const int packs = packing.aligned ? n / width : 0, rest = packs * width;
  const auto take = [](float& largest, const auto& values) {
#pragma unroll
    for (const float x : values.of) largest = x > largest ? x : largest;
  };
  float result = 0;
  Kokkos::parallel_reduce(
      Kokkos::TeamThreadRange(team, packs + n - rest),
      [&](int p, float& largest) {
        if (p < packs)
          take(largest, f(Pack<width>{p * width}));
        else
          take(largest, f(Pack<1>{rest + p - packs}));
      },
      Largest{result});
  return result;
}

/// Largest of f(pack) over packs that together are the elements [0, n), -infinity if n is 0, known
/// to every member of the team afterwards. A NaN is passed over.
template <int width, class F>
KOKKOS_INLINE_FUNCTION float row_max(const Team& team, int n, Packing<width> packing, const F& f) {
  if constexpr (kOnDevice)
    return packed_max(team, n, packing, f);
  else
    return lane_max(team, n, [&](int i) { return f(Pack<1>{i})[0]; });
}

}  // namespace vlmark::kernels
