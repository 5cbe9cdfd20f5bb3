#include "src/app/captions.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "parallel/gather.hpp"
#include "parallel/phase.hpp"
#include "parallel/scalars.hpp"
#include "src/base/contracts.hpp"
#include "src/base/partition.hpp"
#include "src/infer/greedy.hpp"

namespace vlmark::app {
namespace {

std::string answer(engine::InferenceEngine& engine, const train::Trainer& trainer, int picture,
                   bool grey, int max_new_tokens) {
  const plan::ModelConfig& model = trainer.model().config();
  const int stops[] = {model.eos_id, model.pad_id};
  const infer::Generation generation = infer::generate_greedy(
      engine, trainer.captions()->prompt(picture, grey), model, max_new_tokens, stops);
  // Ids beyond the tokenizer are embedding rows without a token: possible before they are unlearnt.
  std::vector<int> ids = generation.tokens;
  const data::Tokenizer& tokenizer = trainer.captions()->tokenizer();
  std::erase_if(ids, [&](int id) { return id >= tokenizer.vocab_size(); });
  return tokenizer.decode(ids, /*skip_special=*/false);
}

}  // namespace

std::vector<CaptionAnswer> ask_captions(train::Trainer& trainer, parallel::Communicator& comm,
                                        bool grey, int max_new_tokens) {
  parallel::set_phase("captions");
  const auto engine = trainer.inference();
  const int askers = parallel::all_reduce_sum(comm, std::int64_t{engine != nullptr}) == comm.size()
                         ? comm.size()
                         : 1;
  expects(trainer.captions() != nullptr);
  const recipe::CaptionData& data = *trainer.captions();
  std::vector<CaptionAnswer> answers;
  for (int i = 0; i < data.size(); ++i) {
    const int owner = owner_of(i, data.size(), askers);
    CaptionAnswer a{data.entry(i).file.filename(), data.entry(i).caption, "", ""};
    if (owner == comm.rank()) {
      a.answer = answer(*engine, trainer, i, false, max_new_tokens);
      if (grey) a.grey_answer = answer(*engine, trainer, i, true, max_new_tokens);
    }
    answers.push_back(std::move(a));
  }
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const int owner = owner_of(static_cast<int>(i), data.size(), askers);
    answers[i].answer = parallel::broadcast_string(comm, answers[i].answer, owner);
    answers[i].grey_answer = parallel::broadcast_string(comm, answers[i].grey_answer, owner);
  }
  return answers;
}

io::Verification grey_check(const std::vector<CaptionAnswer>& answers, int limit) {
  const auto right = std::count_if(answers.begin(), answers.end(), [](const CaptionAnswer& a) {
    return a.right_without_picture();
  });
  return {"V5", "captions right from a grey picture (the picture was not used)",
          static_cast<double>(right), static_cast<double>(limit), right <= limit};
}

std::string caption_table(const std::vector<CaptionAnswer>& answers) {
  std::size_t file = 7, truth = 5, said = 9;
  for (const CaptionAnswer& a : answers) {
    file = std::max(file, a.file.size());
    truth = std::max(truth, a.truth.size());
    said = std::max(said, a.answer.size());
  }
  std::string text = fmt::format("{:<{}}  {:<{}}  {:<{}}  {}\n", "picture", file, "truth", truth,
                                 "generated", said, "from a grey picture");
  long right = 0, grey_right = 0;
  for (const CaptionAnswer& a : answers) {
    text += fmt::format("{:<{}}  {:<{}}  {:<{}}  {}\n", a.file, file, a.truth, truth, a.answer,
                        said, a.grey_answer);
    right += a.right();
    grey_right += a.right_without_picture();
  }
  return text + fmt::format("right: {} of {}; from a grey picture: {} of {}\n", right,
                            answers.size(), grey_right, answers.size());
}

}  // namespace vlmark::app
