#include "src/data/media.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "src/base/error.hpp"
#include "src/base/json_depth.hpp"
#include "src/base/sha256.hpp"

namespace vlmark::data {
namespace {

using Json = nlohmann::json;

Json parse(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) {
    throw IoError(file.string() + ": cannot open: " + std::strerror(errno) +
                  " (it lists the pictures and captions). Check the folder");
  }
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  require_json_depth(text, file.string());
  try {
    return Json::parse(text);
  } catch (const Json::exception& error) {
    throw IoError(file.string() + ": not valid JSON: " + error.what() +
                  " (it lists the pictures and captions). Correct the file");
  }
}

bool is_sha256(const std::string& text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

/// Reads the keys of one entry; `where` is "<file>: entry <i>".
struct EntryReader {
  const Json& entry;
  const std::string& where;

  IoError refuse(const std::string& problem) const {
    return IoError(where + ": " + problem +
                   " (a picture needs a file and a caption). Correct the entry");
  }
  std::string text(const char* key) const {
    const auto found = entry.find(key);
    if (found == entry.end()) throw refuse(std::string("key '") + key + "' is missing");
    if (!found->is_string()) {
      throw refuse(std::string("key '") + key + "' is " + found->type_name() + ", not a string");
    }
    if (found->get_ref<const std::string&>().empty()) {
      throw refuse(std::string("key '") + key + "' is empty");
    }
    return found->get<std::string>();
  }
};

}  // namespace

std::vector<CaptionedPicture> read_captions(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "captions.json";
  const Json list = parse(file);
  if (!list.is_array() || list.empty()) {
    throw IoError(file.string() + ": expected a list of at least one picture, found " +
                  (list.is_array() ? "an empty list" : list.type_name()) +
                  " (there is nothing to train on). Correct the file");
  }
  std::vector<CaptionedPicture> pictures;
  for (const Json& entry : list) {
    const std::string where = file.string() + ": entry " + std::to_string(pictures.size());
    const EntryReader reader{entry, where};
    if (!entry.is_object()) throw reader.refuse(std::string("is ") + entry.type_name());
    CaptionedPicture picture{folder / reader.text("file"), reader.text("caption"), ""};
    if (entry.contains("rgb_sha256")) {
      picture.rgb_sha256 = reader.text("rgb_sha256");
      if (!is_sha256(picture.rgb_sha256)) {
        throw reader.refuse("rgb_sha256 is '" + picture.rgb_sha256 +
                            "', not 64 lower-case hexadecimal digits");
      }
    }
    pictures.push_back(std::move(picture));
  }
  return pictures;
}

Image read_picture(const CaptionedPicture& entry) {
  Image image = read_image(entry.file);
  if (entry.rgb_sha256.empty()) return image;
  const std::string found = sha256_hex(image.rgb);
  if (found == entry.rgb_sha256) return image;
  throw IoError(entry.file.string() + ": SHA-256 of the decoded pixels is " + found +
                ", recorded is " + entry.rgb_sha256 +
                " (the run would see other pixels). Restore the file, or check which JPEG library "
                "decodes it");
}

}  // namespace vlmark::data
