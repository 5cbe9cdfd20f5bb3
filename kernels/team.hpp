#pragma once

#include <Kokkos_Core.hpp>
#include <cstddef>

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

template <class Sum>
struct Kokkos::reduction_identity<vlmark::kernels::Lanes<Sum>> {
  KOKKOS_INLINE_FUNCTION static vlmark::kernels::Lanes<Sum> sum() { return {}; }
};

namespace vlmark::kernels {

/// Members of every team; 0: Kokkos chooses, which on a host is one, that never waits for another.
/// Tests set 2 and 4, which need as many threads, to show a missing barrier.
inline int forced_team_size = 0;

/// `teams` teams of the size in force.
template <class... Properties>
Kokkos::TeamPolicy<Exec, Properties...> team_policy(const Exec& exec, int teams) {
  using Policy = Kokkos::TeamPolicy<Exec, Properties...>;
  return forced_team_size > 0 ? Policy(exec, teams, forced_team_size)
                              : Policy(exec, teams, Kokkos::AUTO);
}

/// body(team, row) for every row, one team each. `label` starts with "vlmark::".
template <class Body>
void for_each_row(const char* label, const Exec& exec, int rows, const Body& body) {
  if (rows == 0) return;
  Kokkos::parallel_for(
      label, team_policy(exec, rows),
      KOKKOS_LAMBDA(const Team& team) { body(team, team.league_rank()); });
}

/// body(i) for i in [0, n) of a vector of any length, in chunks of kChunk.
template <class Body>
void for_each_element(const char* label, const Exec& exec, std::size_t n, const Body& body) {
  const auto chunks = static_cast<int>((n + kChunk - 1) / kChunk);
  if (chunks == 0) return;
  Kokkos::parallel_for(
      label, team_policy(exec, chunks), KOKKOS_LAMBDA(const Team& team) {
        const std::size_t begin = static_cast<std::size_t>(team.league_rank()) * kChunk;
        const auto count = static_cast<int>(n - begin < kChunk ? n - begin : kChunk);
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

/// Sum of f(i) over i in [0, n), known to every member of the team afterwards; f is called once for
/// each i. Lane l sums the elements i = l mod kLanes in rising order, then the lanes are joined as
/// a tree: one running sum could not be vectorised without changing its order.
template <class Sum = float, class F>
KOKKOS_INLINE_FUNCTION Sum row_sum(const Team& team, int n, const F& f) {
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

/// Largest f(i) over i in [0, n), -infinity if n is 0, known to every member of the team
/// afterwards. A NaN is passed over.
template <class F>
KOKKOS_INLINE_FUNCTION float row_max(const Team& team, int n, const F& f) {
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

}  // namespace vlmark::kernels
