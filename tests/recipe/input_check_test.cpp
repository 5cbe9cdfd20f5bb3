#include "src/recipe/input_check.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>

#include "src/recipe/caption_data.hpp"
#include "src/recipe/synthetic_data.hpp"

namespace vlmark::recipe {
namespace {

using testing::HasSubstr;

const plan::ModelConfig nano = plan::model_preset("nano");

config::DataSection captions() {
  config::DataSection s;
  const std::string source = std::getenv("VLMARK_SOURCE_DIR");
  s.folder = source + "/configs/media";
  s.tokenizer = source + "/configs/tokenizer-nano";
  return s;
}

const CaptionData& eight() {
  static const CaptionData data(captions(), nano);
  return data;
}

InputCheck check_of(const config::DataSection& settings = captions()) {
  return {settings, nano, 1, eight().tokenizer()};
}

std::vector<model::Sequence> documents(const TrainingData& data, const std::vector<int>& samples) {
  std::vector<model::Sequence> all;
  for (const int i : samples) all.push_back(data.document(i, true));
  return all;
}

using Changes = std::function<void(std::vector<model::Sequence>&)>;

/// What the check says of samples 2 and 5 in a micro-batch whose documents were changed.
std::vector<InputCheck::Finding> found(const Changes& change) {
  InputCheck check = check_of();
  auto all = documents(eight(), {2, 5});
  change(all);
  check.check({2, 5}, model::pack(all, nano), {});
  return check.findings();
}

TEST(InputCheck, DocumentsOfTheFilesPass) {
  InputCheck check = check_of();
  EXPECT_TRUE(check.findings().empty());
  for (const std::vector<int>& samples : {std::vector{0, 1, 2}, {3, 3}, {4, 5, 6, 7}})
    check.check(samples, model::pack(documents(eight(), samples), nano), {});
  const auto findings = check.findings();
  ASSERT_EQ(findings.size(), 2u);
  EXPECT_EQ(findings[0].value, 0) << findings[0].detail;
  EXPECT_EQ(findings[0].detail, "of 8");
  EXPECT_LE(findings[1].value, findings[1].limit);
  EXPECT_THAT(findings[1].detail, HasSubstr("worst of 8 pictures"));
  EXPECT_GT(check.seconds(), 0);
}

struct Error {
  const char *name, *detail;
  Changes plant;
};

const Error wrong_texts[] = {
    {"another caption", "sample 5: text is",
     [](auto& all) {
       all[1].ids = all[1].labels = {};
       const auto other = eight().document(3);
       const auto prompt = eight().prompt(5, false);
       all[1].ids = prompt.ids;
       all[1].labels = prompt.labels;
       for (std::size_t t = 0; t < other.ids.size(); ++t)
         if (other.labels[t] >= 0)
           all[1].ids.push_back(other.ids[t]), all[1].labels.push_back(other.ids[t]);
     }},
    {"the prompt left out", "sample 2: text is '<|im_end|>",
     [](auto& all) {
       const auto prompt = eight().tokenizer().encode("Describe the picture.");
       const auto at =
           std::search(all[0].ids.begin(), all[0].ids.end(), prompt.begin(), prompt.end());
       ASSERT_NE(at, all[0].ids.end());
       const auto label = all[0].labels.begin() + (at - all[0].ids.begin());
       const auto count = static_cast<std::ptrdiff_t>(prompt.size());
       all[0].ids.erase(at, at + count);
       all[0].labels.erase(label, label + count);
     }},
    {"tokens exchanged", "sample 2: text is",
     [](auto& all) { std::swap(all[0].ids[1], all[0].ids[2]); }},
    {"all tokens supervised", "supervised text is", [](auto& all) { all[0].labels = all[0].ids; }},
    {"one token of the prompt supervised", "supervised text is",
     [](auto& all) {
       for (std::size_t t = 1; t < all[0].ids.size(); ++t)
         if (all[0].labels[t] >= 0) {
           all[0].labels[t - 1] = all[0].ids[t - 1];
           return;
         }
     }},
    {"the end not supervised", "other rows",
     [](auto& all) { all[1].labels.back() = model::ignored_label; }},
    {"a hole in the caption", "other rows",
     [](auto& all) { all[1].labels[all[1].labels.size() - 3] = model::ignored_label; }},
    {"nothing supervised", "other rows",
     [](auto& all) { all[1].labels.assign(all[1].ids.size(), model::ignored_label); }},
    {"another target", "other targets", [](auto& all) { ++all[1].labels.back(); }},
    {"the end spelled by letters", "tokens are <|im_end|> instead of 3",
     [](auto& all) {
       all[0].ids.pop_back();
       all[0].labels.pop_back();
       for (const char letter : std::string("<|im_end|>")) {
         const int id = eight().tokenizer().encode(std::string(1, letter)).at(0);
         all[0].ids.push_back(id);
         all[0].labels.push_back(id);
       }
     }},
    {"no end", "text is ''",
     [](auto& all) {
       all[0].ids.pop_back();
       all[0].labels.pop_back();
     }},
};

TEST(InputCheck, FindsEveryErrorOfTextAndLabels) {
  for (const Error& error : wrong_texts) {
    const auto findings = found(error.plant);
    ASSERT_EQ(findings.size(), 2u);
    EXPECT_EQ(findings[0].value, 1) << error.name;
    EXPECT_THAT(findings[0].detail, HasSubstr(error.detail)) << error.name;
    EXPECT_LE(findings[1].value, findings[1].limit) << error.name;
  }
}

TEST(InputCheck, FindsWrongPixels) {
  const Changes changes[] = {
      [](auto& all) {
        std::swap(all[0].media, all[1].media), std::swap(all[0].ids, all[1].ids),
            std::swap(all[0].labels, all[1].labels);
      },
      [](auto& all) {
        all[1].media[0].pixel_values.assign(all[1].media[0].pixel_values.size(), 0);
      },
      [](auto& all) { all[1].media[0].pixel_values.back() = std::nanf(""); },
      [](auto& all) {
        std::rotate(all[1].media[0].pixel_values.begin(),
                    all[1].media[0].pixel_values.begin() + nano.vision.patch_values(),
                    all[1].media[0].pixel_values.end());
      }};
  for (const Changes& change : changes) {
    const auto findings = found(change);
    ASSERT_EQ(findings.size(), 2u);
    EXPECT_FALSE(findings[1].value <= findings[1].limit);
  }
}

TEST(InputCheck, FindsWhatPackingMixesUp) {
  const std::vector<int> samples{2, 5};
  const auto whole = model::pack(documents(eight(), samples), nano);
  const std::function<void(model::MicroBatch&)> changes[] = {
      [](auto& b) {
        for (std::size_t k = 0; k < b.targets.size(); ++k)
          b.targets[k] = b.ids[static_cast<std::size_t>(b.supervised_rows[k])];
      },
      [](auto& b) {
        for (int& row : b.supervised_rows) --row;
      },
      [](auto& b) { b.targets.pop_back(); },
      [](auto& b) { std::swap(b.shape.sequences[0], b.shape.sequences[1]); },
      [](auto& b) { b.shape.sequences.pop_back(); }};
  for (const auto& change : changes) {
    InputCheck check = check_of();
    model::MicroBatch batch = whole;
    change(batch);
    check.check(samples, batch, {});
    EXPECT_GT(check.findings().at(0).value, 0);
  }
}

TEST(InputCheck, FindsPicturesOfAnotherSize) {
  config::DataSection small = captions();
  small.max_pixels = small.min_pixels;
  const CaptionData data(small, nano);
  InputCheck check = check_of();
  check.check({2}, model::pack(documents(data, {2}), nano), {});
  EXPECT_EQ(check.findings().at(1).value, 255);
  EXPECT_THAT(check.findings().at(1).detail,
              HasSubstr("sample 2, patches 1 x 2 x 4 instead of 1 x 6 x 8"));
}

TEST(InputCheck, EachStageIsHeldToWhatItGets) {
  const auto all = documents(eight(), {1});
  InputCheck check = check_of();
  check.check({1}, model::pack(all, nano, {.vision = false, .targets = true}), {false, true});
  ASSERT_EQ(check.findings().size(), 1u) << "no pixels, nothing to say of them";
  check.check({1}, model::pack(all, nano, {.vision = true, .targets = false}), {true, false});
  ASSERT_EQ(check.findings().size(), 2u);
  for (const auto& f : check.findings()) EXPECT_LE(f.value, f.limit) << f.detail;
}

TEST(InputCheck, EachSampleIsLookedAtOnceAndSixteenAtMost) {
  config::DataSection settings;
  settings.kind = config::DataKind::synthetic;
  settings.pictures = "56x56";
  settings.samples = 40;
  const SyntheticData data(settings, nano, 1);
  InputCheck check(settings, nano, 1, {});
  for (int i = 0; i < 40; ++i)
    for (int again = 0; again < 2; ++again)
      check.check({i}, model::pack(documents(data, {i}), nano), {});
  EXPECT_EQ(check.findings().at(0).detail, "of 16");
  EXPECT_THAT(check.findings().at(1).detail, HasSubstr("of 16 pictures"));
}

TEST(InputCheck, TextsInAnotherNormalFormAreTheSame) {
  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / "captions-in-normal-form-d";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "captions.json")
      << "[{\"file\": \"a.jpg\", \"caption\": \"Cafe\\u0301 <|im_end|>\"}]";
  std::filesystem::copy_file(captions().folder + "/coffee.jpg", folder / "a.jpg",
                             std::filesystem::copy_options::overwrite_existing);
  config::DataSection settings = captions();
  settings.folder = folder;
  settings.prompt = "Was zeigt das Bild, a\xCC\x88hm?";
  const CaptionData data(settings, nano);
  InputCheck check = check_of(settings);
  check.check({0}, model::pack(documents(data, {0}), nano), {});
  EXPECT_EQ(check.findings().at(0).value, 0) << check.findings().at(0).detail;
  EXPECT_LE(check.findings().at(1).value, check.findings().at(1).limit)
      << check.findings().at(1).detail;
}

TEST(InputCheck, SyntheticDocumentsAreHeldToTheirRule) {
  config::DataSection settings;
  settings.kind = config::DataKind::synthetic;
  for (const char* pictures : {"", "56x56, 300x201+84x56, none", "640x360"})
    for (const int tokens : {6, 40, 512}) {
      settings.pictures = pictures;
      settings.text_tokens = tokens;
      const SyntheticData data(settings, nano, 7);
      InputCheck check(settings, nano, 7, {});
      check.check({0, 1, 2, 3}, model::pack(documents(data, {0, 1, 2, 3}), nano), {});
      for (const auto& f : check.findings())
        EXPECT_LE(f.value, f.limit) << pictures << ": " << f.key << " " << f.detail;
      const SyntheticData other(settings, nano, 8);
      InputCheck pixels(settings, nano, 7, {});
      pixels.check({1}, model::pack(documents(other, {1}), nano), {});
      if (*pictures != 0) {
        EXPECT_GT(pixels.findings().at(1).value, 10);
      }
      const Changes changes[] = {
          [](auto& all) { all[0].labels.back() = model::ignored_label; },
          [](auto& all) { all[0].ids.back() = all[0].labels.back() = nano.eos_id; },
          [](auto& all) { all[0].ids.push_back(5), all[0].labels.push_back(5); }};
      for (const Changes& change : changes) {
        auto all = documents(data, {0});
        change(all);
        InputCheck wrong(settings, nano, 7, {});
        wrong.check({0}, model::pack(all, nano), {});
        EXPECT_EQ(wrong.findings().at(0).value, 1) << wrong.findings().at(0).detail;
      }
    }
  const SyntheticData data(settings, nano, 7);
  auto all = documents(data, {0});
  for (std::size_t t = 0; t < all[0].ids.size(); ++t)
    if (all[0].labels[t] >= 0) all[0].ids[t] = all[0].labels[t] = 5;
  InputCheck constant(settings, nano, 7, {});
  constant.check({0}, model::pack(all, nano), {});
  EXPECT_THAT(constant.findings().at(0).detail, HasSubstr("made of 1 ids"));
}

}  // namespace
}  // namespace vlmark::recipe
