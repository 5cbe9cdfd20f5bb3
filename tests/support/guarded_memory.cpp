#include "tests/support/guarded_memory.hpp"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <Kokkos_Core.hpp>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string_view>

namespace vlmark::test {
namespace {

struct Pages {
  std::uintptr_t begin, end;
};

std::mutex mutex;
std::map<const void*, Pages> guarded;  // by the address that the allocation reports
int open_scopes = 0;                   // kernels and copies under way
struct sigaction before;

void protect(const Pages& pages, int access) {
  if (pages.begin < pages.end &&
      mprotect(reinterpret_cast<void*>(pages.begin), pages.end - pages.begin, access) != 0)
    std::abort();
}

void open() {
  const std::lock_guard lock(mutex);
  if (open_scopes++ == 0)
    for (const auto& [key, pages] : guarded) protect(pages, PROT_READ | PROT_WRITE);
}
void close() {
  const std::lock_guard lock(mutex);
  if (--open_scopes == 0)
    for (const auto& [key, pages] : guarded) protect(pages, PROT_NONE);
}

void begin_kernel(const char*, std::uint32_t, std::uint64_t*) { open(); }
void end_kernel(std::uint64_t) { close(); }
void begin_copy(Kokkos_Profiling_SpaceHandle, const char*, const void*,
                Kokkos_Profiling_SpaceHandle, const char*, const void*, std::uint64_t) {
  open();
}

void allocated(Kokkos_Profiling_SpaceHandle, const char* label, const void* address,
               std::uint64_t bytes) {
  const std::string_view name(label);
  if (name != "vlmark::arena" && name != "vlmark::block_sums") return;
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto first = reinterpret_cast<std::uintptr_t>(address);
  // The reported address is that of a header before the data, which the host owns.
  constexpr std::uintptr_t header = 128;
  const Pages pages{(first + header + page - 1) / page * page, (first + bytes) / page * page};
  const std::lock_guard lock(mutex);
  guarded[address] = pages;
  if (open_scopes == 0) protect(pages, PROT_NONE);
}
void freed(Kokkos_Profiling_SpaceHandle, const char*, const void* address, std::uint64_t) {
  const std::lock_guard lock(mutex);
  const auto found = guarded.find(address);
  if (found == guarded.end()) return;
  protect(found->second, PROT_READ | PROT_WRITE);
  guarded.erase(found);
}

void on_fault(int, siginfo_t* info, void*) {
  const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
  for (const auto& [key, pages] : guarded)
    if (address >= pages.begin && address < pages.end) {
      constexpr char text[] = "host code touched the memory of kernels\n";
      [[maybe_unused]] const auto written = write(STDERR_FILENO, text, sizeof text - 1);
    }
  signal(SIGSEGV, SIG_DFL);  // the access is repeated, and ends the process
}

void set_callbacks(bool on) {
  using namespace Kokkos::Tools::Experimental;
  set_begin_parallel_for_callback(on ? begin_kernel : nullptr);
  set_end_parallel_for_callback(on ? end_kernel : nullptr);
  set_begin_parallel_reduce_callback(on ? begin_kernel : nullptr);
  set_end_parallel_reduce_callback(on ? end_kernel : nullptr);
  set_begin_parallel_scan_callback(on ? begin_kernel : nullptr);
  set_end_parallel_scan_callback(on ? end_kernel : nullptr);
  set_begin_deep_copy_callback(on ? begin_copy : nullptr);
  set_end_deep_copy_callback(on ? close : nullptr);
  set_allocate_data_callback(on ? allocated : nullptr);
  set_deallocate_data_callback(on ? freed : nullptr);
}

}  // namespace

GuardedMemory::GuardedMemory() {
  struct sigaction action = {};
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGSEGV, &action, &before);
  set_callbacks(true);
}

GuardedMemory::~GuardedMemory() {
  set_callbacks(false);
  const std::lock_guard lock(mutex);
  for (const auto& [key, pages] : guarded) protect(pages, PROT_READ | PROT_WRITE);
  guarded.clear();
  sigaction(SIGSEGV, &before, nullptr);
}

long GuardedMemory::guarded_bytes() {
  const std::lock_guard lock(mutex);
  long bytes = 0;
  for (const auto& [key, pages] : guarded)
    if (pages.begin < pages.end) bytes += static_cast<long>(pages.end - pages.begin);
  return bytes;
}

}  // namespace vlmark::test
