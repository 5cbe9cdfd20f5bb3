#include "src/plan/forming_gradients.hpp"

#include <algorithm>

#include "src/base/contracts.hpp"
#include "src/plan/schedule_order.hpp"

namespace vlmark::plan {

FormingGradients::FormingGradients(const FlatLayout& layout, const ScheduleShape& shape) {
  const int segments = shape.segment_count(), last = segments - 1;
  constexpr int pools = 2;
  pool_of_.assign(static_cast<std::size_t>(segments), 0);
  int apart = -1, apart_places = 0;  // the segment whose gradients wait beside others
  if (shape.pipeline > 1 && shape.last_rank()) {
    apart = last;
    apart_places = lagging_gradients(shape);
  } else if (shape.pipeline == 1 && shape.tied && shape.embedding_segment != last) {
    apart = shape.embedding_segment;
    apart_places = 1;
  }
  long largest[pools] = {};
  for (int s = 0; s < segments; ++s) {
    const int pool = s == apart;
    pool_of_[static_cast<std::size_t>(s)] = pool;
    largest[pool] = std::max(largest[pool], layout.segment(s).size());
  }
  free_.resize(pools);
  for (int pool = 0; pool < pools; ++pool)
    for (int i = 0; i < (pool == 0 ? 1 : apart_places); ++i, elements_ += largest[pool])
      free_[static_cast<std::size_t>(pool)].insert(elements_);
}

std::pair<long, bool> FormingGradients::open(int micro_batch, int segment) {
  if (const auto found = open_.find({micro_batch, segment}); found != open_.end())
    return {found->second, false};
  std::set<long>& free =
      free_[static_cast<std::size_t>(pool_of_[static_cast<std::size_t>(segment)])];
  expects(!free.empty());
  const long place = *free.begin();
  free.erase(free.begin());
  open_[{micro_batch, segment}] = place;
  return {place, true};
}

long FormingGradients::close(int micro_batch, int segment) {
  const auto found = open_.find({micro_batch, segment});
  expects(found != open_.end());
  const long place = found->second;
  open_.erase(found);
  free_[static_cast<std::size_t>(pool_of_[static_cast<std::size_t>(segment)])].insert(place);
  return place;
}

}  // namespace vlmark::plan
