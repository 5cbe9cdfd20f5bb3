#pragma once

#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "parallel/communicator.hpp"

namespace vlmark::parallel {

/// Runs `work` on every rank and makes all ranks go on together or fail together.
///
/// BEFORE: any rank may fail in `work`.
/// AFTER:  every rank returns, or every rank throws AgreedError with the exit code and text of the
///         lowest rank that failed. The text is prefixed with `rank R: ` unless every rank failed
///         with that same text.
///
/// `work` must not communicate over `comm`, except through a nested agree(): a rank that fails
/// would leave the others waiting. What is no std::exception ends the job. The phase is `where`
/// inside `work`, and stays so when it fails.
/// Cost: one all_reduce of one i64 where nobody fails.
void agree_to(Communicator& comm, const std::string& where, const std::function<void()>& work);

/// As above; returns what `work` returns.
template <class Work>
auto agree(Communicator& comm, const std::string& where, Work&& work) {
  using Result = std::invoke_result_t<Work&>;
  if constexpr (std::is_void_v<Result>) {
    agree_to(comm, where, [&work] { work(); });
  } else {
    std::optional<Result> result;
    agree_to(comm, where, [&] { result.emplace(work()); });
    return *std::move(result);
  }
}

/// Where the ranks of `comm` hold different texts, those that differ from rank 0 call
/// refuse(line here, line of rank 0) with the first line that differs, which throws; every rank then
/// throws as in agree(). `where`: the phase. Books the text once, and what agree() does.
void require_same_text(
    Communicator& comm, const std::string& where, const std::string& text,
    const std::function<void(const std::string& here, const std::string& first)>& refuse);

}  // namespace vlmark::parallel
