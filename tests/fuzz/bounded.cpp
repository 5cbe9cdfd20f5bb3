#include "tests/fuzz/bounded.hpp"

#include <sanitizer/allocator_interface.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "src/base/error.hpp"

namespace vlmark::fuzz {
namespace {

// Of the allocations since the measurement began. Frees of older memory make `held` negative.
std::atomic<bool> measuring = false;
std::atomic<std::int64_t> held = 0, most = 0;

void on_malloc(const volatile void*, std::size_t size) {
  if (!measuring) return;
  const std::int64_t now = held += static_cast<std::int64_t>(size);
  if (now > most) most = now;
}

void on_free(const volatile void* memory) {
  if (measuring && memory != nullptr)
    held -=
        static_cast<std::int64_t>(__sanitizer_get_allocated_size(const_cast<const void*>(memory)));
}

void check_text(Bytes input, const char* text) {
  const std::string error = text;
  require(!error.empty(), "an error without a text");
  require(error.size() <= 1024 + 64 * input.size(), "an error text without an end to it");
}

}  // namespace

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "fuzz: %s\n", what);
  std::abort();
}

void bounded(Bytes input, HeapBound bound, const std::function<void()>& read) {
  static const int installed = __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
  require(installed > 0, "the allocator takes no hooks");
  held = most = 0;
  measuring = true;
  try {
    read();
  } catch (const Error& error) {
    measuring = false;
    check_text(input, error.what());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fuzz: a foreign exception: %s\n", error.what());
    std::abort();
  }
  measuring = false;
  const std::size_t limit = bound.fixed + bound.per_byte * input.size();
  if (static_cast<std::size_t>(most) <= limit) return;
  std::fprintf(stderr, "fuzz: %zu bytes of heap for an input of %zu (at most %zu)\n",
               static_cast<std::size_t>(most), input.size(), limit);
  std::abort();
}

}  // namespace vlmark::fuzz
