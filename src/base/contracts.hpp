#pragma once

// The project's only macros: `expects` (precondition) and `ensures` (internal consistency) are
// checked in builds with VLMARK_CONTRACTS (preset dev) and cost nothing elsewhere. What a user can
// get wrong is never a contract: it is a `require...` that always runs.

#include <string>

namespace vlmark::detail {
[[noreturn]] void contract_failed(const char* kind, const char* condition, const char* file,
                                  int line);
}  // namespace vlmark::detail

#ifdef VLMARK_CONTRACTS
#define VLMARK_CHECK_(kind, condition) \
  ((condition) ? void(0) : ::vlmark::detail::contract_failed(kind, #condition, __FILE__, __LINE__))
#else
#define VLMARK_CHECK_(kind, condition) void(0)
#endif
#define expects(condition) VLMARK_CHECK_("precondition", condition)
#define ensures(condition) VLMARK_CHECK_("internal check", condition)
