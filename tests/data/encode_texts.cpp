// Encodes many texts and times it, for scripts/compare_tokenizer.
//
//   encode_texts TOKENIZER_FOLDER TEXTS IDS [REPETITIONS]
//
// TEXTS: for each text u32 size and its bytes. IDS: for each text u32 count and i32 ids, or the
// count 2^32 - 1 where the text is refused. Numbers are little-endian. Prints the processor seconds it took to
// load the tokenizer and to encode all texts (best of REPETITIONS).
#include <ctime>
#include <fstream>
#include <iostream>

#include "src/base/error.hpp"
#include "src/data/tokenizer.hpp"

namespace {

using vlmark::data::Tokenizer;

/// Of the processor: there is one thread, and what else the machine does shall not count.
double seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

std::vector<std::string> read_texts(const char* path) {
  std::ifstream in(path, std::ios::binary);
  std::vector<std::string> texts;
  std::uint32_t size = 0;
  while (in.read(reinterpret_cast<char*>(&size), sizeof size)) {
    texts.emplace_back(size, '\0');
    if (!in.read(texts.back().data(), size)) throw vlmark::IoError("TEXTS: the last text is cut");
  }
  return texts;
}

struct Encoded {
  bool refused = false;
  std::vector<int> ids;
};

std::vector<Encoded> encode(const Tokenizer& tokenizer, const std::vector<std::string>& texts) {
  std::vector<Encoded> all(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    try {
      all[i].ids = tokenizer.encode(texts[i]);
    } catch (const vlmark::ValueError&) {
      all[i].refused = true;
    }
  }
  return all;
}

void write(const char* path, const std::vector<Encoded>& all) {
  std::ofstream out(path, std::ios::binary);
  const auto put = [&](const void* data, std::size_t size) {
    out.write(static_cast<const char*>(data), static_cast<std::streamsize>(size));
  };
  for (const auto& [refused, ids] : all) {
    const std::uint32_t count =
        refused ? ~std::uint32_t{0} : static_cast<std::uint32_t>(ids.size());
    put(&count, sizeof count);
    put(ids.data(), ids.size() * sizeof(int));
  }
  if (!out) throw vlmark::IoError(std::string(path) + ": cannot be written");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::cerr << "encode_texts TOKENIZER_FOLDER TEXTS IDS [REPETITIONS]\n";
    return 2;
  }
  const auto texts = read_texts(argv[2]);
  double start = seconds();
  const Tokenizer tokenizer = Tokenizer::from_folder(argv[1]);
  std::cout << seconds() - start;
  double best = 1e9;
  std::vector<Encoded> all;
  for (int i = 0; i < (argc > 4 ? std::stoi(argv[4]) : 1); ++i) {
    start = seconds();
    all = encode(tokenizer, texts);
    best = std::min(best, seconds() - start);
  }
  std::cout << ' ' << best << '\n';
  write(argv[3], all);
  return 0;
}
