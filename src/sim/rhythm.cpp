#include "src/sim/rhythm.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

namespace vlmark::sim {

using plan::Action;

int enough(const plan::Repetition& repetition, int all, int times) {
  const int least = times * (4 * repetition.reach + 4) * repetition.group;
  return least + (all - least) % repetition.group;
}

std::optional<Rhythm> rhythm_of(std::span<const plan::RankPlan* const> stages,
                                const plan::Replay& played, const plan::Repetition& repetition) {
  const int size = repetition.group;
  const int count = stages[0]->shape.micro_batches(), all = count / size;
  // The last groups in which forwards and backwards alternate on every rank.
  const int last = all - repetition.reach - 2, first = last - repetition.reach;
  if (first < repetition.reach + 1) return std::nullopt;
  Rhythm rhythm;
  bool known = false;
  for (std::size_t p = 0; p < stages.size(); ++p) {
    const plan::Schedule& schedule = stages[p]->schedule;
    using Key = std::tuple<plan::ActionKind, int, int, plan::Message>;
    std::map<Key, std::vector<double>> ends;  // by micro-batch
    for (std::size_t i = 0; i < schedule.size(); ++i) {
      const Action& a = schedule[i];
      // Lengths travel before the first pass, all together.
      if (a.micro_batch < 0 || a.kind == plan::ActionKind::broadcast_lengths) continue;
      auto& of = ends[{a.kind, a.chunk, a.segment, a.message}];
      of.resize(static_cast<std::size_t>(count), 0);
      of[static_cast<std::size_t>(a.micro_batch)] = played.end[p][i];
    }
    double begin = 0;
    for (const auto& [key, of] : ends)
      for (int m = first * size; m <= (last + 1) * size - 1; ++m) {
        const double now = of[static_cast<std::size_t>(m)],
                     shift = of[static_cast<std::size_t>(m + size)] - now;
        if (!known) rhythm.period = shift;
        known = true;
        if (std::abs(shift - rhythm.period) > 1e-9 * rhythm.period + 1e-12 * now)
          return std::nullopt;
        if (m == first * size && std::get<0>(key) == plan::ActionKind::forward)
          begin = std::max(begin, now);
      }
    rhythm.begins.push_back(begin);
  }
  return rhythm;
}

}  // namespace vlmark::sim
