#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/base/error.hpp"
#include "src/base/sha256.hpp"
#include "src/data/image_png.hpp"
#include "src/data/media.hpp"
#include "tests/data/data_files.hpp"

namespace vlmark::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

std::span<const std::uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

TEST(Sha256, MatchesTheStandardsExamples) {
  EXPECT_EQ(sha256_hex(bytes_of("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex({}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(CaptionedPictures, AllOfTheProjectDecodeToTheRecordedPixels) {
  const auto pictures = data::read_captions(source_dir() / "configs" / "media");
  ASSERT_EQ(pictures.size(), 8u);
  for (const data::CaptionedPicture& picture : pictures) {
    EXPECT_FALSE(picture.caption.empty());
    EXPECT_EQ(picture.rgb_sha256.size(), 64u) << picture.file;
    EXPECT_NO_THROW(data::read_picture(picture)) << picture.file;  // compares the hash
  }
}

/// A folder with these captions and one picture, a.png.
struct Folder {
  explicit Folder(const std::string& captions) {
    write_file(scratch.path() / "captions.json", bytes_of(captions));
    data::write_png(scratch.path() / "a.png", random_image(3, 2, 1));
  }
  auto reading() const {
    return [folder = scratch.path()] { data::read_captions(folder); };
  }
  ScratchDir scratch;
};

TEST(CaptionedPictures, TheHashIsOptional) {
  const Folder folder(R"([{"file": "a.png", "caption": "noise", "mood": 3}])");
  const auto pictures = data::read_captions(folder.scratch.path());
  ASSERT_EQ(pictures.size(), 1u);
  EXPECT_EQ(pictures[0].caption, "noise");
  EXPECT_EQ(data::read_picture(pictures[0]).width, 3);
}

TEST(CaptionedPictures, OtherPixelsAreRefused) {
  const std::string hash(64, '0');
  const Folder folder(R"([{"file": "a.png", "caption": "noise", "rgb_sha256": ")" + hash + "\"}]");
  const auto pictures = data::read_captions(folder.scratch.path());
  EXPECT_THAT([&] { data::read_picture(pictures.at(0)); },
              ThrowsMessage<IoError>(AllOf(HasSubstr("a.png"), HasSubstr(hash),
                                           HasSubstr(sha256_hex(random_image(3, 2, 1).rgb)))));
}

TEST(CaptionedPicturesErrors, NameFileEntryAndKey) {
  const ScratchDir empty;
  EXPECT_THAT([&] { data::read_captions(empty.path()); },
              ThrowsMessage<IoError>(AllOf(HasSubstr("captions.json"), HasSubstr("No such file"))));
  const std::pair<const char*, const char*> cases[] = {
      {"[{", "not valid JSON"},
      {"", "not valid JSON"},
      {"{}", "found object"},
      {"[]", "an empty list"},
      {"[3]", "entry 0: is number"},
      {R"([{"caption": "x"}])", "entry 0: key 'file' is missing"},
      {R"([{"file": "a.png"}])", "entry 0: key 'caption' is missing"},
      {R"([{"file": "a.png", "caption": "x"}, {"file": "", "caption": "x"}])",
       "entry 1: key 'file' is empty"},
      {R"([{"file": "a.png", "caption": 3}])", "key 'caption' is number, not a string"},
      {R"([{"file": "a.png", "caption": "x", "rgb_sha256": "AB"}])", "rgb_sha256 is 'AB'"},
  };
  for (const auto& [captions, problem] : cases) {
    const Folder folder(captions);
    EXPECT_THAT(folder.reading(), ThrowsMessage<IoError>(HasSubstr(problem))) << captions;
  }
}

TEST(CaptionedPicturesErrors, AMissingPictureIsNamedWhenItIsRead) {
  const Folder folder(R"([{"file": "b.png", "caption": "x"}])");
  const auto pictures = data::read_captions(folder.scratch.path());
  EXPECT_THAT([&] { data::read_picture(pictures.at(0)); },
              ThrowsMessage<IoError>(HasSubstr("b.png: cannot read the picture")));
}

}  // namespace
}  // namespace vlmark::test
