#include "parallel/agree.hpp"

#include <algorithm>
#include <vector>

#include "parallel/gather.hpp"
#include "parallel/phase.hpp"
#include "parallel/scalars.hpp"
#include "src/base/error.hpp"
#include "src/base/first_difference.hpp"

namespace vlmark::parallel {
namespace {

/// How `work` ended on one rank; travels as "<exit code> <text>", empty when it succeeded.
std::string outcome_of(const std::function<void()>& work) {
  const auto failed = [](ExitCode code, const char* text) {
    return std::to_string(static_cast<int>(code)) + " " + text;
  };
  try {
    work();
  } catch (const Error& e) {
    return failed(e.exit_code(), e.what());
  } catch (const std::exception& e) {
    return failed(ExitCode::internal, e.what());
  }
  return "";
}

}  // namespace

void agree_to(Communicator& comm, const std::string& where, const std::function<void()>& work) {
  const std::string outer_phase = phase();
  set_phase(where);
  const std::string mine = outcome_of(work);
  if (all_reduce_max(comm, std::int64_t{mine.empty() ? 0 : 1}) == 0) {
    set_phase(outer_phase);
    return;
  }
  const std::vector<std::string> all = all_gather_strings(comm, mine);
  const auto first = std::find_if(all.begin(), all.end(), [](const auto& o) { return !o.empty(); });
  const bool same = std::all_of(all.begin(), all.end(), [&](const auto& o) { return o == *first; });
  const std::size_t space = first->find(' ');
  std::string text = first->substr(space + 1);
  if (!same) text = "rank " + std::to_string(first - all.begin()) + ": " + text;
  throw AgreedError(text, static_cast<ExitCode>(std::stoi(first->substr(0, space))));
}

void require_same_text(
    Communicator& comm, const std::string& where, const std::string& text,
    const std::function<void(const std::string& here, const std::string& first)>& refuse) {
  const std::string common = broadcast_string(comm, text);
  agree(comm, where, [&] {
    if (text == common) return;
    const auto [here, first] = first_difference(text, common);
    refuse(here, first);
  });
}

}  // namespace vlmark::parallel
