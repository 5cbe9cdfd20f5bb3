#include "src/report/trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "src/plan/schedule.hpp"

namespace vlmark::report {

Timeline recorded_step(const io::Record& record, const std::function<bool(int)>& shown) {
  const auto known = [](int index, const auto& names) {
    return index >= 0 && static_cast<std::size_t>(index) < names.size();
  };
  std::int64_t step = -1, begin = std::numeric_limits<std::int64_t>::max();
  for (const auto& [rank, action] : record.actions) step = std::max(step, action.step);
  const auto at = [&](int rank, std::int64_t ns) {
    return ns + record.clocks[static_cast<std::size_t>(rank)].offset_ns;
  };
  std::vector<const io::OfRank<io::ActionTiming>*> taken;
  for (const auto& noted : record.actions) {
    if (noted.value.step != step || !known(noted.rank, record.clocks) ||
        !known(noted.value.kind, record.header.action_kinds) ||
        !known(noted.value.lane, record.header.lanes))
      continue;
    begin = std::min(begin, at(noted.rank, noted.value.start_ns));
    if (shown(noted.rank)) taken.push_back(&noted);
  }
  Timeline timeline{fmt::format("Trace of step {}", step), {}};
  const auto tensor = static_cast<int>(plan::Lane::tensor);
  for (const auto* noted : taken) {
    const auto& [rank, action] = *noted;
    timeline.bars.push_back(
        {rank, action.lane == tensor ? static_cast<int>(plan::Lane::compute) : action.lane,
         record.header.action_kinds[static_cast<std::size_t>(action.kind)], action.micro_batch,
         1e-9 * static_cast<double>(at(rank, action.start_ns) - begin),
         1e-9 * static_cast<double>(at(rank, action.end_ns) - begin)});
  }
  return timeline;
}

}  // namespace vlmark::report
