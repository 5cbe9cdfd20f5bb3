#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "src/base/error.hpp"
#include "src/data/image.hpp"
#include "src/data/image_png.hpp"
#include "src/data/image_png_chunks.hpp"
#include "tests/data/data_files.hpp"

namespace vlmark::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;
using Bytes = std::vector<std::uint8_t>;
using std::string_literals::operator""s;

void append_number(Bytes& bytes, std::size_t value) {
  for (const int shift : {24, 16, 8, 0}) bytes.push_back(static_cast<std::uint8_t>(value >> shift));
}

/// A small PNG with these chunks between its header and its pixels.
Bytes png_with(const std::vector<std::pair<std::string, std::string>>& chunks,
               const data::Image& image = random_image(4, 3, 1)) {
  constexpr std::size_t header = 8 + 12 + 13;
  const Bytes plain = data::encode_png(image);
  Bytes bytes(plain.begin(), plain.begin() + header);
  for (const auto& [type, content] : chunks) {
    append_number(bytes, content.size());
    const std::string text = type + content;
    bytes.insert(bytes.end(), text.begin(), text.end());
    append_number(bytes, crc32(0, reinterpret_cast<const Bytef*>(text.data()),
                               static_cast<uInt>(text.size())));
  }
  bytes.insert(bytes.end(), plain.begin() + header, plain.end());
  return bytes;
}

std::string packed(const std::string& text) {
  uLongf size = compressBound(text.size());
  std::string result(size, '\0');
  compress(reinterpret_cast<Bytef*>(result.data()), &size,
           reinterpret_cast<const Bytef*>(text.data()), text.size());
  result.resize(size);
  return result;
}

auto decoding(const Bytes& bytes) {
  return [bytes] { data::decode_image(bytes, "bomb.png"); };
}

TEST(PngChunks, BombsAreRefusedWithBothSizes) {
  const std::string bomb = packed(std::string(data::max_chunk_bytes + 1, 'x'));
  const std::pair<std::string, std::string> chunks[] = {
      {"iCCP", "profile\0\0"s + bomb},
      {"zTXt", "Comment\0\0"s + bomb},
      {"iTXt", "Comment\0\1\0en\0key\0"s + bomb},
  };
  for (const auto& chunk : chunks) {
    EXPECT_THAT(decoding(png_with({chunk})),
                ThrowsMessage<IoError>(AllOf(
                    HasSubstr("bomb.png: its PNG chunk " + chunk.first + " of " +
                              std::to_string(chunk.second.size()) + " bytes unfolds to more than"),
                    HasSubstr("1048576 bytes"), HasSubstr("Save the picture without"))));
  }
}

TEST(PngChunks, AllChunksTogetherAreBounded) {
  const std::string full = "Comment\0\0"s + packed(std::string(data::max_chunk_bytes, 'x'));
  const data::Image image = random_image(4, 3, 1);
  const std::vector<std::pair<std::string, std::string>> most(64, {"zTXt", full});
  EXPECT_TRUE(data::decode_image(png_with(most, image), "full") == image);
  auto more = most;
  more.emplace_back("zTXt", "Comment\0\0"s + packed("x"));
  EXPECT_THAT(decoding(png_with(more)),
              ThrowsMessage<IoError>(AllOf(HasSubstr("67108864 bytes"), HasSubstr("all chunks"))));
}

TEST(PngChunks, LargeChunksThatAreNotUnfoldedDoNoHarm) {
  const data::Image image = random_image(4, 3, 2);
  const std::string large(9'000'000, 'x');  // above the 8 MB at which libpng refuses by itself
  const Bytes bytes = png_with({{"tEXt", "Comment\0"s + large}, {"prVt", large}}, image);
  EXPECT_TRUE(data::decode_image(bytes, "large") == image);
}

TEST(PngChunks, DamagedProfilesAndTextsAreIgnored) {
  const data::Image image = random_image(4, 3, 3);
  const std::string sound = packed("some text");
  const std::pair<std::string, std::string> chunks[] = {
      {"iCCP", ""},
      {"iCCP", "name without end"},
      {"iCCP", "name\0"s},
      {"iCCP", "name\0\0not zlib"s},
      {"zTXt", "key\0\7"s + sound},
      {"zTXt", "key\0\0"s + sound.substr(0, 4)},
      {"iTXt", "XML:com.adobe.xmp\0"s},
      {"iTXt", "XML:com.adobe.xmp\0\1\0en"s},
      {"tEXt", "Raw profile type exif"},
      {"eXIf", ""},
  };
  for (const auto& chunk : chunks) {
    EXPECT_TRUE(data::decode_image(png_with({chunk}, image), "odd") == image) << chunk.first;
  }
}

TEST(PngChunks, RawProfilesOfOtherCharactersAreRefused) {
  for (const std::string digits : {"4d4g", "4d4"}) {
    EXPECT_THAT(
        decoding(png_with({{"tEXt", "Raw profile type exif\0\nexif\n 2\n"s + digits}})),
        ThrowsMessage<IoError>(AllOf(HasSubstr("Raw profile type exif"), HasSubstr("repair"))));
  }
}

TEST(PngChunks, AWrongChecksumOfMetadataIsAnError) {
  Bytes bytes = png_with({{"eXIf", "II*\0\10\0\0\0\0\0\0\0\0\0"s}});
  EXPECT_NO_THROW(decoding(bytes)());
  bytes.at(8 + 12 + 13 + 8 + 5) ^= 1;
  EXPECT_THAT(decoding(bytes), ThrowsMessage<IoError>(HasSubstr("CRC error")));
}

}  // namespace
}  // namespace vlmark::test
