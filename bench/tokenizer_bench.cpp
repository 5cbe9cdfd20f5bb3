#include <benchmark/benchmark.h>

#include <cstdlib>
#include <random>
#include <unordered_set>

#include "bench/tokenizer_bench.hpp"
#include "src/data/byte_map.hpp"
#include "src/data/tokenizer.hpp"

namespace vlmark::bench {
namespace {

using data::Tokenizer;

/// A `tokenizer.json` of the Qwen2 kind with `tokens` tokens: byte tokens and merges of random
/// earlier ones, so that there is a vocabulary of full size where the real one is not at hand.
/// Set VLMARK_TOKENIZER to a folder to measure with its vocabulary instead.
std::string synthetic_file(int tokens) {
  std::mt19937 random(1);
  std::vector<std::string> spelled;
  for (int byte = 0; byte < 256; ++byte)
    spelled.push_back(data::spell_bytes(std::string(1, static_cast<char>(byte))));
  std::string vocab, merges;
  for (int id = 0; id < 256; ++id) {
    const std::string escape = spelled[id] == "\"" || spelled[id] == "\\" ? "\\" : "";
    vocab += (id > 0 ? ",\"" : "\"") + escape + spelled[id] + "\":" + std::to_string(id);
  }
  // Words of lower-case letters, some with a blank before them, as most of a real vocabulary is.
  std::vector<std::string> words;
  for (char c = 'a'; c <= 'z'; ++c) words.emplace_back(1, c);
  std::unordered_set<std::string> known(words.begin(), words.end());
  const std::string blank = data::spell_bytes(" ");
  for (int id = 256; id < tokens;) {
    const bool begins_word = random() % 3 == 0;
    const std::string& some = words[random() % words.size()];
    const std::string left = begins_word ? blank : some;
    const std::string right = words[random() % std::min<std::size_t>(words.size(), 2000)];
    const std::string token = left + right;
    if (token.size() > 12 || right.starts_with(blank) || !known.insert(token).second) continue;
    vocab += ",\"" + token + "\":" + std::to_string(id);
    merges += (merges.empty() ? "\"" : ",\"") + left + " " + right + "\"";
    words.push_back(token);
    ++id;
  }
  return R"({"added_tokens":[{"id":)" + std::to_string(tokens) +
         R"(,"content":"<|im_end|>","special":true}],"normalizer":{"type":"NFC"},)"
         R"("pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":)"
         R"("(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*)"
         R"(|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"},"behavior":"Isolated"},)"
         R"({"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]},)"
         R"("decoder":{"type":"ByteLevel"},"model":{"type":"BPE","vocab":{)" +
         vocab + R"(},"merges":[)" + merges + "]}}";
}

/// Loads the tokenizer from a folder or from the synthetic text.
struct Source {
  std::string folder, text;
  Tokenizer load() const {
    return folder.empty() ? Tokenizer::from_json_text(text) : Tokenizer::from_folder(folder);
  }
};

const Source& source(bool smoke) {
  static const Source chosen = [smoke] {
    const char* folder = std::getenv("VLMARK_TOKENIZER");
    if (folder != nullptr) return Source{folder, ""};
    return Source{"", synthetic_file(smoke ? 2000 : 151643)};
  }();
  return chosen;
}

/// Lines of words of the vocabulary, numbers and marks, with every tenth word in another script.
std::string sample_text(const Tokenizer& tokenizer, std::size_t bytes) {
  constexpr const char* others[] = {"\u4f60\u597d\u4e16\u754c\u3002",
                                    "\u041f\u0440\u0438\u0432\u0435\u0442", "cafe\u0301",
                                    "\ud55c\uad6d\uc5b4", "\U0001f469\u200d\U0001f467"};
  std::mt19937 random(2);
  std::string text;
  while (text.size() < bytes) {
    const unsigned kind = random() % 40;
    if (kind < 4) {
      text += " ", text += others[kind];
    } else if (kind == 5) {
      text += ", " + std::to_string(random() % 2026) + ".\n";
    } else {
      const int rank = static_cast<int>(std::min(random(), random()) % tokenizer.vocab_size());
      text += tokenizer.decode(std::vector{rank}) + " ";
    }
  }
  return text;
}

void load(benchmark::State& state, bool smoke) {
  const Source& file = source(smoke);  // made before the clock starts
  for (auto _ : state) benchmark::DoNotOptimize(file.load());
}

void encode(benchmark::State& state, bool smoke) {
  const Tokenizer tokenizer = source(smoke).load();
  const std::string text = sample_text(tokenizer, smoke ? 1000 : 1 << 20);
  std::size_t ids = 0;
  for (auto _ : state) ids = tokenizer.encode(text).size();
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
  state.counters["bytes/token"] = static_cast<double>(text.size()) / static_cast<double>(ids);
}

void decode(benchmark::State& state, bool smoke) {
  const Tokenizer tokenizer = source(smoke).load();
  const auto ids = tokenizer.encode(sample_text(tokenizer, smoke ? 1000 : 1 << 20));
  std::size_t bytes = 0;
  for (auto _ : state) bytes = tokenizer.decode(ids).size();
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
}

}  // namespace

void register_tokenizer(bool smoke) {
  benchmark::RegisterBenchmark("tokenizer/load", load, smoke)->Unit(benchmark::kMillisecond);
  benchmark::RegisterBenchmark("tokenizer/encode", encode, smoke)->Unit(benchmark::kMillisecond);
  benchmark::RegisterBenchmark("tokenizer/decode", decode, smoke)->Unit(benchmark::kMillisecond);
}

}  // namespace vlmark::bench
