#pragma once

#include <string>
#include <vector>

#include "parallel/communicator.hpp"
#include "src/io/journal_records.hpp"
#include "src/train/trainer.hpp"

namespace vlmark::app {

/// What the trained weights say about one training picture.
struct CaptionAnswer {
  std::string file, truth, answer;
  std::string grey_answer;  ///< about a uniform grey picture of the same size; empty: not asked

  bool right() const { return answer == truth; }
  bool right_without_picture() const { return grey_answer == truth; }
};

/// Asks for the caption of every training picture with the trainer's weights, and as a control
/// again with a grey picture. Pictures are dealt over the ranks; all get all answers. For a run
/// on captions. Collective.
std::vector<CaptionAnswer> ask_captions(train::Trainer& trainer, parallel::Communicator& comm,
                                        bool grey, int max_new_tokens);

/// Rule V5 of the grey control: a loss that falls without the pictures proves nothing about vision,
/// so at most `limit` captions may be right from a grey picture.
io::Verification grey_check(const std::vector<CaptionAnswer>& answers, int limit);

/// The answers as a table for a terminal, with the counts below it.
std::string caption_table(const std::vector<CaptionAnswer>& answers);

}  // namespace vlmark::app
