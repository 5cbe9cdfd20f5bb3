#include "src/base/counters.hpp"

#include "src/base/clock.hpp"

namespace vlmark {
namespace {

Part current_part = Part::other;
std::int64_t current_since = monotonic_ns();

void switch_to(Part part) {
  const std::int64_t now = monotonic_ns();
  counters().part_ns[static_cast<int>(current_part)] += now - current_since;
  current_part = part;
  current_since = now;
}

}  // namespace

const char* name_of(Part part) {
  switch (part) {
    case Part::vit:
      return "vit";
    case Part::merger:
      return "merger";
    case Part::decoder:
      return "decoder";
    case Part::head:
      return "head";
    case Part::other:
      return "other";
  }
  return "?";
}

std::uint64_t Counters::flops() const {
  std::uint64_t sum = 0;
  for (int part = 0; part < kParts; ++part) sum += gemm_flops[part] + attention_flops[part];
  return sum;
}

void Counters::reset() { *this = Counters{}; }

Counters& counters() {
  static Counters instance;
  return instance;
}

CountedPart::CountedPart(Part part) : before_(current_part) { switch_to(part); }
CountedPart::~CountedPart() { switch_to(before_); }
Part CountedPart::current() { return current_part; }

}  // namespace vlmark
