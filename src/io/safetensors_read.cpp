#include <algorithm>
#include <cstring>
#include <limits>

#include "src/base/error.hpp"
#include "src/io/json_text.hpp"
#include "src/io/safetensors.hpp"

namespace vlmark::io {
namespace {

// The reference implementation's limit: a longer header is an attack or a wrong file.
constexpr std::uint64_t kLongestHeader = 100'000'000;
constexpr std::string_view kReadAgain = ". Copy or download it again";

std::uint64_t unsigned_value(const nlohmann::json& value, const std::string& where,
                             const char* what) {
  if (!value.is_number_unsigned())
    throw IoError(where + ": " + what + " holds " + shown(value) +
                  " (expected whole numbers that are not negative)" + std::string(kReadAgain));
  return value.get<std::uint64_t>();
}

std::vector<std::int64_t> read_shape(const nlohmann::json& entry, const std::string& where) {
  if (!entry.contains("shape") || !entry["shape"].is_array())
    throw IoError(where + ": has no 'shape' (expected an array)" + std::string(kReadAgain));
  std::vector<std::int64_t> shape;
  for (const auto& extent : entry["shape"]) {
    const std::uint64_t value = unsigned_value(extent, where, "shape");
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      throw IoError(where + ": shape holds " + shown(extent) + " (above 2^63 - 1)" +
                    std::string(kReadAgain));
    shape.push_back(static_cast<std::int64_t>(value));
  }
  return shape;
}

TensorType read_type(const nlohmann::json& entry, const std::string& where) {
  if (!entry.contains("dtype") || !entry["dtype"].is_string())
    throw IoError(where + ": has no 'dtype' (expected a string)" + std::string(kReadAgain));
  const auto name = entry["dtype"].get<std::string>();
  if (const auto type = tensor_type(name)) return *type;
  throw IoError(where + ": dtype is '" + name +
                "' (expected BF16, F16, F32, F64, I64, I32, U8 "
                "or another whole-byte type of the format). Convert the tensor to one of them");
}

std::uint64_t byte_count(TensorType type, std::span<const std::int64_t> shape,
                         const std::string& where) {
  std::uint64_t bytes = size_of(type);
  for (const std::int64_t extent : shape)
    if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(extent), &bytes))
      throw IoError(where + ": shape " + to_text(shape) +
                    " has more than 2^64 bytes (no file holds it)" + std::string(kReadAgain));
  return bytes;
}

TensorView read_entry(const std::string& name, const nlohmann::json& entry,
                      std::span<const std::byte> data, const std::string& where) {
  if (!entry.is_object())
    throw IoError(where + ": is " + shown(entry) + " (expected an object)" +
                  std::string(kReadAgain));
  TensorView tensor{name, read_type(entry, where), read_shape(entry, where), {}};
  if (!entry.contains("data_offsets") || !entry["data_offsets"].is_array() ||
      entry["data_offsets"].size() != 2)
    throw IoError(where + ": has no 'data_offsets' (expected [begin, end])" +
                  std::string(kReadAgain));
  const auto& offsets = entry["data_offsets"];
  const std::uint64_t begin = unsigned_value(offsets[0], where, "data_offsets");
  const std::uint64_t end = unsigned_value(offsets[1], where, "data_offsets");
  if (begin > end || end > data.size())
    throw IoError(where + ": data_offsets are [" + std::to_string(begin) + ", " +
                  std::to_string(end) + "] but the file holds " + std::to_string(data.size()) +
                  " bytes of data (a truncated or damaged file)" + std::string(kReadAgain));
  const std::uint64_t expected = byte_count(tensor.type, tensor.shape, where);
  if (end - begin != expected)
    throw IoError(where + ": data_offsets span " + std::to_string(end - begin) + " bytes but " +
                  std::string(name_of(tensor.type)) + " " + to_text(tensor.shape) + " has " +
                  std::to_string(expected) + " (the header is damaged)" + std::string(kReadAgain));
  tensor.data = data.subspan(begin, end - begin);
  return tensor;
}

}  // namespace

std::string to_text(std::span<const std::int64_t> shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i)
    text += (i > 0 ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path) : file_(path) {
  const auto bytes = file_.bytes();
  const std::string where = path.string();
  std::uint64_t length = 0;
  if (bytes.size() < sizeof length)
    throw IoError(where + ": has " + std::to_string(bytes.size()) +
                  " bytes (a safetensors file begins with 8 bytes of header length)" +
                  std::string(kReadAgain));
  std::memcpy(&length, bytes.data(), sizeof length);
  const auto rest = bytes.subspan(sizeof length);
  if (length > kLongestHeader)
    throw IoError(where + ": says its header has " + std::to_string(length) + " bytes (at most " +
                  std::to_string(kLongestHeader) +
                  " are allowed; this is no safetensors file). Give the path of one");
  if (length > rest.size())
    throw IoError(where + ": says its header has " + std::to_string(length) + " bytes but only " +
                  std::to_string(rest.size()) + " follow (a truncated file)" +
                  std::string(kReadAgain));
  parse_header({reinterpret_cast<const char*>(rest.data()), length}, rest.subspan(length));
}

void SafetensorsFile::parse_header(std::string_view header, std::span<const std::byte> data) {
  const std::string where = path().string();
  const auto json = parse_json(header, where + ": header");
  if (!json.is_object() || header.front() != '{')
    throw IoError(where +
                  ": header is not a JSON object that begins with '{' (names and places of " +
                  "tensors stand in it)" + std::string(kReadAgain));
  for (const auto& [name, entry] : json.items()) {
    if (name == "__metadata__") {
      if (!entry.is_object())
        throw IoError(where + ": __metadata__ is " + shown(entry) + " (expected an object)" +
                      std::string(kReadAgain));
      for (const auto& [key, value] : entry.items()) {
        if (!value.is_string())
          throw IoError(where + ": __metadata__ '" + key + "' is " + shown(value) +
                        " (expected a string)" + std::string(kReadAgain));
        metadata_[key] = value.get<std::string>();
      }
    } else {
      tensors_.push_back(read_entry(name, entry, data, where + ": tensor '" + name + "'"));
    }
  }
  std::stable_sort(tensors_.begin(), tensors_.end(), [](const TensorView& a, const TensorView& b) {
    return std::pair(a.data.data(), a.data.size()) < std::pair(b.data.data(), b.data.size());
  });
  require_cover(data);
  for (std::size_t i = 0; i < tensors_.size(); ++i) index_[tensors_[i].name] = i;
}

void SafetensorsFile::require_cover(std::span<const std::byte> data) const {
  std::size_t covered = 0;
  const TensorView* before = nullptr;
  for (const TensorView& tensor : tensors_) {
    const auto begin = static_cast<std::size_t>(tensor.data.data() - data.data());
    const std::string where = path().string() + ": tensor '" + tensor.name + "'";
    if (begin < covered)
      throw IoError(where + ": begins at byte " + std::to_string(begin) + " but tensor '" +
                    before->name + "' ends at " + std::to_string(covered) +
                    " (they overlap: the header is damaged)" + std::string(kReadAgain));
    if (begin > covered)
      throw IoError(where + ": begins at byte " + std::to_string(begin) +
                    " but the tensors before "
                    "it end at " +
                    std::to_string(covered) + " (a hole: the header is damaged)" +
                    std::string(kReadAgain));
    covered += tensor.data.size();
    before = &tensor;
  }
  if (covered != data.size())
    throw IoError(path().string() + ": holds " + std::to_string(data.size()) +
                  " bytes of data but its tensors cover " + std::to_string(covered) +
                  " (the file does not belong to its header)" + std::string(kReadAgain));
}

const TensorView* SafetensorsFile::find(std::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &tensors_[found->second];
}

const TensorView& SafetensorsFile::tensor(std::string_view name) const {
  if (const TensorView* found = find(name)) return *found;
  throw IoError(path().string() + ": has no tensor '" + std::string(name) + "' (it holds " +
                std::to_string(tensors_.size()) +
                " others). Check that the file belongs to this model");
}

}  // namespace vlmark::io
