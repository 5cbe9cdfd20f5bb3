#pragma once

#include <string>
#include <vector>

#include "src/data/smart_resize.hpp"
#include "src/model/micro_batch.hpp"
#include "src/plan/shapes.hpp"

namespace vlmark::recipe {

/// What a run trains on: documents whose lengths are known before any of them is made.
class TrainingData {
 public:
  TrainingData() = default;
  TrainingData(const TrainingData&) = delete;
  TrainingData& operator=(const TrainingData&) = delete;
  virtual ~TrainingData() = default;

  virtual int size() const = 0;
  /// The document of sample `i`; without `pixels`, its pictures are grids alone.
  virtual model::Sequence document(int i, bool pixels) const = 0;
  /// Of a micro-batch of these samples, as model::pack will have it; makes no document.
  virtual plan::MicroBatchShape shape(const std::vector<int>& samples) const = 0;
  /// Of sample `i`'s pictures: their sizes before any resize.
  virtual std::vector<data::ImageSize> picture_sizes(int i) const = 0;
  /// One line for sample `i` that another document would not have.
  virtual std::string summary(int i) const = 0;
};

}  // namespace vlmark::recipe
