#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "src/config/pictures.hpp"
#include "src/config/run_config.hpp"
#include "src/data/image.hpp"
#include "src/data/tokenizer.hpp"
#include "src/model/micro_batch.hpp"
#include "src/plan/model_config.hpp"

namespace vlmark::recipe {

/// Rule R4 on live micro-batches: what a step trains on is what the run description names. Texts are
/// decoded and compared with captions.json in the chat layout, rows and targets with the caption's
/// place, pixel values with the decoded files; of synthetic documents, with the rule they are made
/// by. Shares the readers of files with what it checks (they have tests of their own), and nothing
/// that turns their contents into a micro-batch.
class InputCheck {
 public:
  /// Samples of which this rank looks, and pixels of which it stops to open more pictures: the cost
  /// of any run is bounded.
  static constexpr std::size_t kMostSamples = 16;
  static constexpr std::int64_t kMostPixels = std::int64_t{1} << 23;

  /// `tokenizer`: of captions; `seed`: of synthetic documents.
  InputCheck(const config::DataSection& settings, const plan::ModelConfig& model,
             std::uint64_t seed, std::optional<data::Tokenizer> tokenizer);

  /// Looks at those samples of a micro-batch that were not looked at before. Throws IoError where a
  /// file of them cannot be read any more.
  void check(const std::vector<int>& samples, const model::MicroBatch& batch,
             model::Contents wanted);

  struct Finding {
    std::string key;  ///< the same on every rank
    double value = 0, limit = 0;
    std::string detail;
  };
  std::vector<Finding> findings() const;
  double seconds() const { return 1e-9 * static_cast<double>(spent_ns_); }

 private:
  struct Document;
  struct Entry {
    std::string file, caption, rgb_sha256;
  };
  /// Sizes of a synthetic document's pictures.
  const std::vector<config::PictureSize>& group_of(int sample) const;
  void read_entries();
  void check(const Document& document);
  std::string wrong_caption(const Document& document) const;
  std::string wrong_synthetic(const Document& document) const;
  data::Image picture(int sample, std::size_t number) const;
  void check_pictures(const Document& document);

  config::DataSection settings_;
  plan::ModelConfig model_;
  std::uint64_t seed_;
  std::optional<data::Tokenizer> tokenizer_;
  std::vector<std::vector<config::PictureSize>> groups_;  // of synthetic documents
  std::vector<Entry> entries_;                            // of captions.json
  std::map<std::pair<bool, bool>, std::set<int>> seen_;   // samples, by what was there to see
  int documents_ = 0, wrong_ = 0, pictures_ = 0;
  std::int64_t pixels_ = 0, spent_ns_ = 0;
  std::string first_wrong_;
  double worst_level_ = 0;
  std::string worst_picture_;
};

}  // namespace vlmark::recipe
