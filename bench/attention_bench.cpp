#include "bench/bench.hpp"
namespace vlmark::bench {
void register_attention(bool) {}
}  // namespace vlmark::bench
