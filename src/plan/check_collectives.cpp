#include <map>
#include <set>
#include <tuple>

#include "src/plan/check_parts.hpp"

namespace vlmark::plan {
namespace {

using Way = std::tuple<Message, int, int>;  // from, to

/// A message as both of its ends name it: the chunk of the model that it leaves.
struct Letter {
  int micro_batch, leaves;
  std::string text;
};

void compare(const Way& way, const std::vector<Letter>& sent, const std::vector<Letter>& received,
             std::vector<std::string>& problems) {
  const auto& [message, from, to] = way;
  const std::string where = std::string(name_of(message)) + " from stage " + std::to_string(from) +
                            " to stage " + std::to_string(to) + ": ";
  for (std::size_t i = 0; i < std::max(sent.size(), received.size()); ++i) {
    const std::string number = "message " + std::to_string(i) + ": ";
    if (i >= received.size())
      problems.push_back(where + number + sent[i].text + " meets no receive");
    else if (i >= sent.size())
      problems.push_back(where + number + received[i].text + " meets no send");
    else if (sent[i].micro_batch != received[i].micro_batch || sent[i].leaves != received[i].leaves)
      problems.push_back(where + number + sent[i].text + " meets " + received[i].text);
    else
      continue;
    return;  // what follows is only shifted
  }
}

/// What an action calls on a group, without the micro-batch where replicas may differ in it.
enum class Group { data, tensor_lane, tensor_passes, pipeline };
bool calls(Group group, const Action& action) {
  switch (group) {
    case Group::data:
      return action.lane == Lane::data;
    case Group::tensor_lane:
      return action.lane == Lane::tensor || action.kind == ActionKind::global_norm;
    case Group::tensor_passes:
      return action.kind == ActionKind::forward || action.kind == ActionKind::backward ||
             action.kind == ActionKind::embedding_backward;
    case Group::pipeline:
      return action.kind == ActionKind::broadcast_lengths;
  }
  return false;
}

std::vector<std::string> calls_of(Group group, const Schedule& schedule) {
  std::vector<std::string> list;
  for (const Action& action : schedule)
    if (calls(group, action)) list.push_back(to_string(action));
  return list;
}

std::string difference(const std::vector<std::string>& a, const std::vector<std::string>& b,
                       int rank_a, int rank_b) {
  std::size_t i = 0;
  while (i < a.size() && i < b.size() && a[i] == b[i]) ++i;
  const auto name = [i](const std::vector<std::string>& list) {
    return i < list.size() ? list[i] : std::string("nothing more");
  };
  return "collective " + std::to_string(i) + ": rank " + std::to_string(rank_a) + " calls " +
         name(a) + ", rank " + std::to_string(rank_b) + " calls " + name(b);
}

}  // namespace

std::vector<std::string> check_messages(std::span<const RankPlan* const> stages) {
  const int P = static_cast<int>(stages.size());
  std::map<Way, std::pair<std::vector<Letter>, std::vector<Letter>>> ways;
  for (int p = 0; p < P; ++p)
    for (const Action& action : stages[static_cast<std::size_t>(p)]->schedule) {
      const bool sends = action.kind == ActionKind::post_send;
      if (!sends && action.kind != ActionKind::post_receive) continue;
      int leaves = action.chunk < 0 ? -1 : action.chunk * P + p;
      if (action.message == Message::embedding_rows) leaves = 0;
      if (!sends && action.message == Message::activation) --leaves;
      if (!sends && action.message == Message::gradient) ++leaves;
      const int from = sends ? p : action.peer, to = sends ? action.peer : p;
      auto& [sent, received] = ways[{action.message, from, to}];
      (sends ? sent : received).push_back({action.micro_batch, leaves, to_string(action)});
    }
  std::vector<std::string> problems;
  for (const auto& [way, letters] : ways) compare(way, letters.first, letters.second, problems);
  return problems;
}

std::vector<std::string> check_collectives(const Layout& layout,
                                           std::span<const RankPlan* const> of_rank) {
  std::vector<std::string> problems;
  std::map<std::pair<Group, const RankPlan*>, std::vector<std::string>> known;
  std::set<std::tuple<Group, const RankPlan*, const RankPlan*>> compared;
  const auto list = [&](Group group, const RankPlan* plan) -> const std::vector<std::string>& {
    const auto [it, fresh] = known.try_emplace({group, plan});
    if (fresh) it->second = calls_of(group, plan->schedule);
    return it->second;
  };
  const auto compare_ranks = [&](Group group, const char* name, int a, int b) {
    const RankPlan *plan_a = of_rank[static_cast<std::size_t>(a)],
                   *plan_b = of_rank[static_cast<std::size_t>(b)];
    if (plan_a == plan_b || !compared.emplace(group, plan_a, plan_b).second) return;
    const auto &of_a = list(group, plan_a), &of_b = list(group, plan_b);
    if (of_a != of_b) problems.push_back(std::string(name) + ": " + difference(of_a, of_b, a, b));
  };
  for (int rank = 0; rank < layout.ranks(); ++rank) {
    const Place place = place_of(layout, rank);
    const int first_replica = rank_of(layout, {0, place.pipeline, place.tensor}),
              first_tensor = rank_of(layout, {place.data, place.pipeline, 0}),
              first_stage = rank_of(layout, {place.data, 0, place.tensor});
    compare_ranks(Group::data, "data group", first_replica, rank);
    compare_ranks(Group::tensor_lane, "tensor group", first_tensor, rank);
    compare_ranks(Group::tensor_passes, "tensor group, passes", first_tensor, rank);
    compare_ranks(Group::pipeline, "pipeline group", first_stage, rank);
  }
  return problems;
}

}  // namespace vlmark::plan
