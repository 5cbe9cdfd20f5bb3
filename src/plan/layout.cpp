#include "src/plan/layout.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <functional>
#include <utility>

#include "src/base/contracts.hpp"
#include "src/base/error.hpp"

namespace vlmark::plan {
namespace {

struct Part {
  const char* key;
  int Layout::*size;
};
constexpr Part parts[] = {{"dp", &Layout::data},
                          {"tp", &Layout::tensor},
                          {"pp", &Layout::pipeline},
                          {"v", &Layout::chunks},
                          {"n", &Layout::group}};
constexpr int largest = 1'000'000;  // products of three still fit in 64 bits

[[noreturn]] void refuse(std::string_view text, const std::string& problem) {
  throw ConfigError("layout '" + std::string(text) + "': " + problem +
                    ". Write parts dp, tp, pp, v, n with a number each, joined by dots and each at "
                    "most once, as in dp2.tp2.pp2 or pp4.v2.n8");
}

std::string listed(const std::vector<int>& values) {
  std::string text;
  for (const int value : values) text += (text.empty() ? "" : ", ") + std::to_string(value);
  return text.empty() ? "none" : text;
}

bool tensor_fits(const ModelConfig& model, int tensor) {
  return model.heads % tensor == 0 && model.vision.heads % tensor == 0 &&
         (model.kv_heads % tensor == 0 || tensor % model.kv_heads == 0);
}

std::vector<int> numbers(int first, int last, const std::function<bool(int)>& accepted) {
  std::vector<int> found;
  for (int i = first; i <= last; ++i)
    if (accepted(i)) found.push_back(i);
  return found;
}

/// The rule of Megatron Core for the group size of interleaved schedules.
bool group_fits(int group, int pipeline, int micro_batches) {
  return pipeline <= group && group <= micro_batches &&
         (micro_batches % group == 0 || micro_batches % group >= pipeline);
}

class Problems {
 public:
  Problems(const Layout& layout, const ModelConfig& model)
      : layout_(layout), model_(model), where_("layout " + to_string(layout) + ": ") {}

  bool sizes() {
    for (const Part& part : parts) {
      const int size = layout_.*part.size, least = part.size == &Layout::group ? 0 : 1;
      if (size < least || size > largest)
        add(std::string(part.key) + " is " + std::to_string(size) + " (expected " +
            std::to_string(least) + " to " + std::to_string(largest) + ")");
    }
    return found.empty();
  }

  void ranks(int given) {
    const long of_replica = long{layout_.tensor} * layout_.pipeline,
               needed = of_replica * layout_.data;
    if (needed == given) return;
    std::string what = "Start " + std::to_string(needed) + " ranks";
    if (given > 0 && given % of_replica == 0)
      what += ", or use dp" + std::to_string(given / of_replica);
    else
      what += ", or choose tp and pp whose product divides " + std::to_string(given);
    add("needs " + std::to_string(needed) + " ranks, but the job has " + std::to_string(given) +
        ". " + what);
  }

  void tensor() {
    if (tensor_fits(model_, layout_.tensor)) return;
    const int t = layout_.tensor;
    std::string what;
    const auto name = [&what](const std::string& text) {
      what += (what.empty() ? "" : ", ") + text;
    };
    if (model_.heads % t != 0) name(std::to_string(model_.heads) + " query heads");
    if (model_.vision.heads % t != 0)
      name(std::to_string(model_.vision.heads) + " heads of the ViT");
    if (model_.kv_heads % t != 0 && t % model_.kv_heads != 0)
      name(std::to_string(model_.kv_heads) + " key/value heads");
    add("tp" + std::to_string(t) + " does not divide " + what + " of model " + model_.name +
        ". Tensor sizes that work: " +
        listed(numbers(1, std::min(model_.heads, model_.vision.heads),
                       [this](int i) { return tensor_fits(model_, i); })));
  }

  void chunks() {
    const long all = long{layout_.pipeline} * layout_.chunks;
    if (layout_.chunks > 1 && layout_.pipeline == 1)
      add("v" + std::to_string(layout_.chunks) +
          " with pp1 (chunks of one rank only follow each "
          "other). Use v1, or a pipeline of 2 or more");
    if (layout_.chunks == 1 && layout_.group > 0)
      add("n" + std::to_string(layout_.group) +
          " with v1 (groups of micro-batches are a matter of "
          "interleaved chunks). Leave n out, or add v2");
    if (all <= model_.layers) return;
    const int pipeline = model_.layers / layout_.chunks;
    std::string what = "Use a pipeline of at most " + std::to_string(std::max(pipeline, 1));
    if (layout_.chunks > 1)
      what += " with v" + std::to_string(layout_.chunks) + ", or v" +
              std::to_string(std::max(1, model_.layers / layout_.pipeline)) + " or less with pp" +
              std::to_string(std::min(layout_.pipeline, model_.layers));
    add("has " + std::to_string(all) + " chunks, but model " + model_.name + " has " +
        std::to_string(model_.layers) +
        " decoder layers (every chunk holds at least one; the first also ViT, merger and "
        "embedding, the last also the head). " +
        what);
  }

  void groups(int micro_batches) {
    if (layout_.chunks == 1 || layout_.pipeline == 1) return;
    const int p = layout_.pipeline, group = layout_.group > 0 ? layout_.group : p,
              least = micro_batches / layout_.data,
              most = least + (micro_batches % layout_.data > 0 ? 1 : 0);
    const auto fits = [&](int n) { return group_fits(n, p, least) && group_fits(n, p, most); };
    if (fits(group)) return;
    std::string each = std::to_string(least);
    if (most != least) each += " or " + std::to_string(most);
    const std::vector<int> sizes = numbers(p, least, fits);
    std::string what;
    if (!sizes.empty())
      what = "Group sizes that work: " + listed(sizes);
    else if (least < p)
      what = "Use at least " + std::to_string(long{p} * layout_.data) +
             " micro-batches, or v1, which takes any number";
    else
      what = "Use a multiple of " + std::to_string(layout_.data) +
             " micro-batches, so that every replica has as many, or v1";
    add("groups of " + std::to_string(group) + " micro-batches on " + std::to_string(p) +
        " pipeline ranks, but a replica has " + each +
        " (a group is at least the pipeline and at most the micro-batches, and what is left over "
        "is "
        "none or again at least the pipeline). " +
        what);
  }

  std::vector<std::string> found;

 private:
  void add(const std::string& text) { found.push_back(where_ + text); }

  const Layout& layout_;
  const ModelConfig& model_;
  std::string where_;
};

}  // namespace

Layout parse_layout(std::string_view text) {
  Layout layout;
  std::array<bool, std::size(parts)> seen{};
  std::string_view rest = text;
  while (true) {
    const std::size_t dot = rest.find('.');
    const std::string_view word = rest.substr(0, dot);
    const std::size_t digits = word.find_first_of("0123456789");
    const std::string_view key = word.substr(0, digits);
    const auto* const part = std::find_if(std::begin(parts), std::end(parts),
                                          [key](const Part& p) { return key == p.key; });
    if (digits == std::string_view::npos || part == std::end(parts))
      refuse(text, "'" + std::string(word) + "' is no part");
    int size = 0;
    const auto [end, error] =
        std::from_chars(word.data() + digits, word.data() + word.size(), size);
    if (error != std::errc() || end != word.data() + word.size() || size < 1 || size > largest)
      refuse(text,
             "'" + std::string(word) + "' has no number from 1 to " + std::to_string(largest));
    if (std::exchange(seen[static_cast<std::size_t>(part - parts)], true))
      refuse(text, std::string(part->key) + " stands twice");
    layout.*part->size = size;
    if (dot == std::string_view::npos) return layout;
    rest.remove_prefix(dot + 1);
  }
}

std::string to_string(const Layout& layout) {
  std::string text;
  for (const Part& part : parts) {
    const int size = layout.*part.size;
    if (size == (part.size == &Layout::group ? 0 : 1)) continue;
    text += (text.empty() ? "" : ".") + std::string(part.key) + std::to_string(size);
  }
  return text.empty() ? "dp1" : text;
}

Place place_of(const Layout& layout, int rank) {
  expects(rank >= 0 && rank < layout.ranks());
  return {rank / (layout.tensor * layout.pipeline), rank / layout.tensor % layout.pipeline,
          rank % layout.tensor};
}

int rank_of(const Layout& layout, const Place& place) {
  return (place.data * layout.pipeline + place.pipeline) * layout.tensor + place.tensor;
}

std::vector<std::string> problems(const Layout& layout, const ModelConfig& model, int ranks,
                                  int micro_batches) {
  Problems check(layout, model);
  if (!check.sizes()) return check.found;
  check.ranks(ranks);
  check.tensor();
  check.chunks();
  check.groups(micro_batches);
  return check.found;
}

}  // namespace vlmark::plan
