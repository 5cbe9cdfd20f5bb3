#include <zlib.h>

#include <cstring>

#include "src/io/rank_samples.hpp"
#include "tests/fuzz/input_folder.hpp"

using namespace vlmark;

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

/// Half of the inputs get right checksums, or none would come further than the first record.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t most, unsigned seed) {
  size = LLVMFuzzerMutate(data, size, most);
  if (seed % 2 == 0) return size;
  for (std::size_t at = 0; at + 12 <= size;) {
    std::uint32_t length = 0;
    std::memcpy(&length, data + at, 4);
    if (length > size - at - 12) break;
    const auto crc = static_cast<std::uint32_t>(::crc32_z(0, data + at + 4, length + 4));
    std::memcpy(data + at + 8 + length, &crc, 4);
    at += length + 12;
  }
  return size;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::Bytes input(data, size);
  const auto path = fuzz::write_input("rank-00000.journal", input);
  fuzz::bounded(input, {1 << 16, 64}, [&] { io::read_rank_samples(path); });
  return 0;
}
