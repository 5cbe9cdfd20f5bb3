#include "src/infer/greedy.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "src/base/clock.hpp"
#include "src/base/error.hpp"

namespace vlmark::infer {
namespace {

struct Top {
  int id;
  float margin;
};

Top top(const std::vector<float>& logits) {
  if (std::any_of(logits.begin(), logits.end(), [](float x) { return std::isnan(x); }))
    throw ValueError(
        "generate: a logit is NaN (the weights or the picture hold values that overflow). Check "
        "the checkpoint, or use fp32");
  const auto best = std::max_element(logits.begin(), logits.end());
  float second = -INFINITY;
  for (auto it = logits.begin(); it != logits.end(); ++it)
    if (it != best) second = std::max(second, *it);
  return {static_cast<int>(best - logits.begin()), *best - second};
}

}  // namespace

Generation generate_greedy(engine::InferenceEngine& engine, const model::Sequence& prompt,
                           const plan::ModelConfig& model, int max_new_tokens,
                           std::span<const int> stop_ids) {
  const std::int64_t start = monotonic_ns();
  Generation result;
  if (max_new_tokens < 1)
    throw ValueError("generate: " + std::to_string(max_new_tokens) +
                     " new tokens were asked for. Ask for at least 1");
  const model::MicroBatch batch = model::pack(std::span(&prompt, 1), model);
  Top next = top(engine.prefill(batch, static_cast<long>(prompt.ids.size()) + max_new_tokens));
  result.first_token_ns = monotonic_ns() - start;
  while (true) {
    result.stopped = std::find(stop_ids.begin(), stop_ids.end(), next.id) != stop_ids.end();
    if (result.stopped) break;
    result.tokens.push_back(next.id);
    result.margins.push_back(next.margin);
    if (static_cast<int>(result.tokens.size()) == max_new_tokens) break;
    next = top(engine.decode(next.id));
  }
  result.total_ns = monotonic_ns() - start;
  return result;
}

}  // namespace vlmark::infer
