#include "src/data/tokenizer.hpp"

#include <fstream>
#include <mutex>
#include <sstream>
#include <unordered_map>

#include "src/base/error.hpp"
#include "src/data/bpe.hpp"
#include "src/data/byte_map.hpp"
#include "src/data/pretokenize.hpp"
#include "src/data/tokenizer_added.hpp"
#include "src/data/tokenizer_file.hpp"
#include "src/data/tokenizer_nfc.hpp"
#include "src/data/tokenizer_utf8.hpp"

namespace vlmark::data {
namespace {

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  // Inserting an empty file's buffer would fail; peek also shows that a folder cannot be read.
  if (in && in.peek() != std::ifstream::traits_type::eof()) text << in.rdbuf();
  if (!in.is_open() || in.bad() || !text)
    throw IoError(path.string() + ": cannot be read (the tokenizer needs it). " +
                  "Check the folder and its permissions.");
  return std::move(text).str();
}

/// The added tokens that are looked for after normalisation, or those looked for before.
std::vector<AddedToken> select(const std::vector<AddedToken>& added, bool normalized,
                               bool use_nfc) {
  std::vector<AddedToken> chosen;
  for (AddedToken token : added) {
    if (token.normalized != normalized) continue;
    if (normalized && use_nfc) token.content = nfc(token.content);
    chosen.push_back(std::move(token));
  }
  return chosen;
}

std::array<int, 256> ids_of_bytes(const TokenizerSpec& spec) {
  std::array<int, 256> ids{};
  for (int byte = 0; byte < 256; ++byte)
    ids[byte] = spec.model.at(spell_bytes(std::string(1, static_cast<char>(byte))));
  return ids;
}

std::unordered_map<std::string, int> whole_pieces(const TokenizerSpec& spec) {
  std::unordered_map<std::string, int> pieces;
  if (!spec.ignore_merges) return pieces;
  for (const auto& [token, id] : spec.model)
    if (auto bytes = unspell_bytes(token)) pieces.emplace(std::move(*bytes), id);
  return pieces;
}

}  // namespace

struct Tokenizer::State {
  /// Everything one call of encode writes to.
  struct Workspace {
    explicit Workspace(const Pretokenizer& pretokenizer) : split(pretokenizer) {}
    Pretokenizer::Scratch split;
    BpeScratch bpe;
    std::vector<Section> sections, inner;
    std::vector<std::size_t> ends;
    std::string normal;
  };
  /// Borrows a workspace for its lifetime: each thread that encodes at the moment has one.
  class Lease {
   public:
    explicit Lease(const State& state) : state_(state) {
      const std::lock_guard lock(state.mutex);
      if (state.idle.empty()) {
        workspace_ = std::make_unique<Workspace>(state.pretokenizer);
      } else {
        workspace_ = std::move(state.idle.back());
        state.idle.pop_back();
      }
    }
    ~Lease() {
      const std::lock_guard lock(state_.mutex);
      state_.idle.push_back(std::move(workspace_));
    }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Workspace& operator*() { return *workspace_; }

   private:
    const State& state_;
    std::unique_ptr<Workspace> workspace_;
  };

  State(TokenizerSpec from, const std::string& name)
      : spec(std::move(from)),
        before_nfc(select(spec.added, false, spec.nfc)),
        after_nfc(select(spec.added, true, spec.nfc)),
        pretokenizer(spec.pattern, name),
        bpe(ids_of_bytes(spec), std::move(spec.merges), whole_pieces(spec)),
        special(spec.tokens.size(), false),
        added_ids() {
    for (const AddedToken& token : spec.added) {
      if (token.special) special[token.id] = true;
      added_ids.emplace(token.content, token.id);
    }
    bytes.reserve(spec.tokens.size());
    for (const std::string& token : spec.tokens)
      bytes.push_back(unspell_bytes(token).value_or(token));
  }

  void require(int id, const char* where) const {
    if (id >= 0 && static_cast<std::size_t>(id) < bytes.size()) return;
    throw ValueError(std::string("tokenizer: ") + where + ": id " + std::to_string(id) +
                     " is outside the vocabulary of " + std::to_string(bytes.size()) +
                     " tokens (it stands for no text). Drop or mask such ids.");
  }

  void encode_plain(std::string_view text, Workspace& work, std::vector<int>& ids) const {
    pretokenizer.split(text, work.split, work.ends);
    std::size_t begin = 0;
    for (const std::size_t end : work.ends) {
      bpe.encode(text.substr(begin, end - begin), work.bpe, ids);
      begin = end;
    }
  }

  void encode_section(std::string_view text, Workspace& work, std::vector<int>& ids) const {
    if (spec.nfc && !is_surely_nfc(text)) {
      work.normal = nfc(text);
      text = work.normal;
    }
    if (after_nfc.empty()) return encode_plain(text, work, ids);
    after_nfc.cut(text, work.inner);
    for (const Section& section : work.inner)
      section.id < 0 ? encode_plain(section.text, work, ids) : ids.push_back(section.id);
  }

  TokenizerSpec spec;  // its merges live in `bpe`
  AddedTokenFinder before_nfc, after_nfc;
  Pretokenizer pretokenizer;
  Bpe bpe;
  std::vector<bool> special;       // [vocabulary]
  std::vector<std::string> bytes;  // [vocabulary]
  std::unordered_map<std::string, int> added_ids;

  mutable std::mutex mutex;
  mutable std::vector<std::unique_ptr<Workspace>> idle;
};

Tokenizer Tokenizer::from_folder(const std::filesystem::path& folder) {
  const auto json = folder / "tokenizer.json", vocab = folder / "vocab.json",
             merges = folder / "merges.txt";
  const auto exists = [](const std::filesystem::path& path) {
    std::error_code ignored;  // what cannot be looked at is not there
    return std::filesystem::exists(path, ignored);
  };
  if (exists(json)) return from_json_text(read_file(json), json.string());
  if (!exists(vocab) || !exists(merges))
    throw IoError(folder.string() + ": holds neither tokenizer.json nor both vocab.json and " +
                  "merges.txt (there is no tokenizer without them). Name the folder of a " +
                  "Hugging Face model.");
  return Tokenizer(std::make_shared<State>(
      parse_vocab_and_merges(read_file(vocab), vocab.string(), read_file(merges), merges.string()),
      folder.string()));
}

Tokenizer Tokenizer::from_json_text(std::string_view text, const std::string& name) {
  return Tokenizer(std::make_shared<State>(parse_tokenizer_json(text, name), name));
}

std::vector<int> Tokenizer::encode(std::string_view utf8) const {
  if (const std::size_t at = first_invalid_utf8(utf8); at < utf8.size())
    throw ValueError("tokenizer: encode: byte " + std::to_string(at) + " of " +
                     std::to_string(utf8.size()) +
                     " does not continue valid UTF-8 (ids are defined for text only). " +
                     "Convert the text to UTF-8.");
  std::vector<int> ids;
  State::Lease lease(*state_);
  State::Workspace& work = *lease;
  state_->before_nfc.cut(utf8, work.sections);
  for (const Section& section : work.sections)
    section.id < 0 ? state_->encode_section(section.text, work, ids) : ids.push_back(section.id);
  return ids;
}

std::string Tokenizer::decode(std::span<const int> ids, bool skip_special) const {
  std::string joined;
  for (const int id : ids) {
    state_->require(id, "decode");
    if (!(skip_special && state_->special[id])) joined += state_->bytes[id];
  }
  return replace_invalid_utf8(joined);
}

std::optional<int> Tokenizer::id_of(std::string_view token) const {
  const std::string key(token);
  for (const auto* map : {&state_->added_ids, &state_->spec.model})
    if (const auto found = map->find(key); found != map->end()) return found->second;
  return std::nullopt;
}

int Tokenizer::require_id(std::string_view token) const {
  if (const auto id = id_of(token)) return *id;
  throw ConfigError("tokenizer: has no token '" + std::string(token) + "' among its " +
                    std::to_string(vocab_size()) +
                    " tokens (the model's text format needs it). Use a Qwen2-VL tokenizer.");
}

const std::string& Tokenizer::token(int id) const {
  state_->require(id, "token");
  return state_->spec.tokens[id];
}

int Tokenizer::vocab_size() const { return static_cast<int>(state_->bytes.size()); }

bool Tokenizer::is_special(int id) const {
  return id >= 0 && id < vocab_size() && state_->special[id];
}

std::vector<int> Tokenizer::special_ids() const {
  std::vector<int> ids;
  for (int id = 0; id < vocab_size(); ++id)
    if (state_->special[id]) ids.push_back(id);
  return ids;
}

}  // namespace vlmark::data
