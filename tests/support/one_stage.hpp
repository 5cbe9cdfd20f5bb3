#pragma once

#include "src/plan/schedule_shape.hpp"

namespace vlmark::plan {

/// training_schedule of a model that stands whole on every rank, in one segment, without overlap.
inline Schedule one_stage(int begin, int end, int buckets) {
  ScheduleShape shape;
  shape.begin = begin;
  shape.end = end;
  shape.buckets = {buckets};
  return training_schedule(shape);
}

}  // namespace vlmark::plan
