#include "src/recipe/picture_check.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <functional>
#include <limits>
#include <string>

#include "src/data/media.hpp"
#include "src/data/patches.hpp"

namespace vlmark::recipe {
namespace {

const plan::VisionConfig vision = plan::model_preset("nano").vision;
constexpr int kRow = 3 * 2 * 14 * 14, kPlane = 14 * 14;

struct Limits {
  double least, most;
};
constexpr Limits quick{3136, 12544};

const std::vector<data::Image>& pictures() {
  static const std::vector<data::Image> all = [] {
    std::vector<data::Image> images;
    const std::string folder = std::string(std::getenv("VLMARK_SOURCE_DIR")) + "/configs/media";
    for (const auto& entry : data::read_captions(folder))
      images.push_back(data::read_picture(entry));
    return images;
  }();
  return all;
}

data::PatchMatrix patches_of(const data::Image& image, const Limits& limits = quick,
                             const data::Normalisation& normalisation = {}) {
  return data::preprocess(std::span(&image, 1), {limits.least, limits.most}, vision, normalisation);
}

double levels(const data::Image& image, const data::PatchMatrix& patches) {
  return worst_level(image, patches.grid, vision, patches.values);
}

TEST(PictureCheck, PicturesOfEverySizeAgree) {
  double worst = 0;
  for (const Limits& limits :
       {quick, Limits{3136, 3136}, Limits{3136, 50176}, Limits{3136, 12845056},
        Limits{200704, 1003520}, Limits{600000, 1003520}})
    for (const data::Image& image : pictures()) {
      const data::PatchMatrix patches = patches_of(image, limits);
      EXPECT_EQ(described_grid({image.height, image.width}, limits.least, limits.most, vision),
                patches.grid);
      const double off = levels(image, patches);
      EXPECT_LE(off, 1.125) << limits.most;  // the bound of the roundings; the limit is 1.25
      worst = std::max(worst, off);
    }
  RecordProperty("worst", std::to_string(worst));
  EXPECT_GT(worst, 0.25) << "the resize rounds, this check does not";
}

/// Hard edges at every distance, where the filter overshoots and both passes clip.
TEST(PictureCheck, NoiseOfBlackAndWhiteAgrees) {
  double worst = 0;
  unsigned state = 1;
  for (int side = 29; side < 400; side += 37) {
    data::Image image{side, 2 * side - 11, {}};
    image.rgb.resize(static_cast<std::size_t>(image.width) *
                     static_cast<std::size_t>(image.height) * 3);
    for (auto& byte : image.rgb) byte = (state = state * 1664525 + 1013904223) >> 31 ? 255 : 0;
    for (const Limits& limits : {quick, Limits{3136, 12845056}, Limits{200704, 1003520}})
      worst = std::max(worst, levels(image, patches_of(image, limits)));
  }
  RecordProperty("worst", std::to_string(worst));
  EXPECT_LE(worst, 1.125);
}

TEST(PictureCheck, GridsAreThoseOfTheModelsCard) {
  const auto grid = [](int height, int width, double most = 12845056) {
    return described_grid({height, width}, 3136, most, vision);
  };
  const auto of = [](int height, int width) { return plan::Grid{1, height / 14, width / 14}; };
  EXPECT_EQ(grid(224, 224), of(224, 224));
  EXPECT_EQ(grid(480, 640), of(476, 644));
  EXPECT_EQ(grid(1080, 1920), of(1092, 1932));
  EXPECT_EQ(grid(4000, 6000), of(2912, 4368));
  EXPECT_EQ(grid(42, 70), of(56, 56));
  EXPECT_EQ(grid(20, 30), of(56, 84));
  EXPECT_EQ(grid(1080, 1920, 1280 * 784), of(728, 1316));
}

void exchange(std::vector<float>& values, int a, int b, int count) {
  std::swap_ranges(values.begin() + a, values.begin() + a + count, values.begin() + b);
}

struct Error {
  const char* name;
  std::function<data::PatchMatrix(std::size_t)> plant;  // what the model gets instead
};

data::PatchMatrix changed(std::size_t i, const std::function<void(data::PatchMatrix&)>& change) {
  data::PatchMatrix patches = patches_of(pictures()[i]);
  change(patches);
  return patches;
}

data::PatchMatrix repainted(std::size_t i, const std::function<void(data::Image&)>& change) {
  data::Image image = pictures()[i];
  change(image);
  return patches_of(image);
}

data::PatchMatrix normalised(std::size_t i, const data::Normalisation& normalisation) {
  return patches_of(pictures()[i], quick, normalisation);
}

void mirror(data::Image& image) {
  for (int y = 0; y < image.height; ++y)
    for (int x = 0; x < image.width / 2; ++x)
      for (int c = 0; c < 3; ++c)
        std::swap(
            image.rgb[static_cast<std::size_t>((y * image.width + x) * 3 + c)],
            image.rgb[static_cast<std::size_t>((y * image.width + image.width - 1 - x) * 3 + c)]);
}

const Error errors[] = {
    {"zero pixels",
     [](std::size_t i) {
       return changed(i, [](auto& p) { std::fill(p.values.begin(), p.values.end(), 0.0f); });
     }},
    {"grey picture",
     [](std::size_t i) {
       return repainted(i, [](auto& image) { std::fill(image.rgb.begin(), image.rgb.end(), 128); });
     }},
    {"another picture",
     [](std::size_t i) {
       data::PatchMatrix other = patches_of(pictures()[(i + 1) % pictures().size()]);
       return changed(i, [&](auto& p) {
         for (std::size_t k = 0; k < p.values.size(); ++k)
           p.values[k] = other.values[k % other.values.size()];
       });
     }},
    {"blue for red",
     [](std::size_t i) {
       return changed(i, [](auto& p) {
         for (int row = 0; row < static_cast<int>(p.values.size()); row += kRow)
           exchange(p.values, row, row + 4 * kPlane, 2 * kPlane);
       });
     }},
    {"no mean",
     [](std::size_t i) {
       return normalised(i, {.mean = {0, 0, 0}});
     }},
    {"no deviation",
     [](std::size_t i) {
       return normalised(i, {.deviation = {1, 1, 1}});
     }},
    {"no rescale", [](std::size_t i) { return normalised(i, {.rescale = 1}); }},
    {"deviation 10 % larger",
     [](std::size_t i) {
       return normalised(i, {.deviation = {0.2955, 0.2874, 0.3034}});
     }},
    {"ImageNet's mean and deviation",
     [](std::size_t i) {
       return normalised(i, {.mean = {0.485, 0.456, 0.406}, .deviation = {0.229, 0.224, 0.225}});
     }},
    {"rows of tokens exchanged",
     [](std::size_t i) {
       return changed(i, [](auto& p) {
         const int row = 2 * p.grid.w * kRow;
         exchange(p.values, 0, row, row);
       });
     }},
    {"patches from left to right",
     [](std::size_t i) {
       return changed(i, [](auto& p) {
         const std::vector<float> tokens = p.values;
         for (int v = 0; v < p.grid.h; ++v)
           for (int u = 0; u < p.grid.w; ++u) {
             const int from = (v / 2 * (p.grid.w / 2) + u / 2) * 4 + v % 2 * 2 + u % 2;
             std::copy_n(tokens.begin() + from * kRow, kRow,
                         p.values.begin() + (v * p.grid.w + u) * kRow);
           }
       });
     }},
    {"patches of tokens by columns",
     [](std::size_t i) {
       return changed(i, [](auto& p) {
         for (int token = 0; token < p.grid.patches() / 4; ++token)
           exchange(p.values, (4 * token + 1) * kRow, (4 * token + 2) * kRow, kRow);
       });
     }},
    {"columns of pixels for rows",
     [](std::size_t i) {
       return changed(i, [](auto& p) {
         for (int plane = 0; plane < static_cast<int>(p.values.size()); plane += kPlane)
           for (int y = 0; y < 14; ++y)
             for (int x = 0; x < y; ++x)
               exchange(p.values, plane + y * 14 + x, plane + x * 14 + y, 1);
       });
     }},
    {"mirrored", [](std::size_t i) { return repainted(i, mirror); }},
    {"shifted by a patch",
     [](std::size_t i) {
       return changed(i, [](auto& p) {
         std::rotate(p.values.begin(), p.values.begin() + kRow, p.values.end());
       });
     }},
    {"shifted by a pixel",
     [](std::size_t i) {
       return changed(
           i, [](auto& p) { std::rotate(p.values.begin(), p.values.begin() + 1, p.values.end()); });
     }},
    {"the second frame is black",
     [](std::size_t i) {
       return changed(i, [](auto& p) {
         for (int k = 0; k < static_cast<int>(p.values.size()); ++k)
           if (k / kPlane % 2 == 1) p.values[static_cast<std::size_t>(k)] = -1.8f;
       });
     }},
    {"one value 3 levels off",
     [](std::size_t i) {
       return changed(i, [](auto& p) { p.values[p.values.size() / 2] += 3.0f / 255 / 0.27f; });
     }},
    {"the nearest pixels",
     [](std::size_t i) {
       const data::Image& image = pictures()[i];
       const plan::Grid grid = patches_of(image).grid;
       data::Image small{grid.w * 14, grid.h * 14, {}};
       for (int y = 0; y < small.height; ++y)
         for (int x = 0; x < small.width; ++x)
           for (int c = 0; c < 3; ++c)
             small.rgb.push_back(image.rgb[static_cast<std::size_t>(
                 (y * image.height / small.height * image.width + x * image.width / small.width) *
                     3 +
                 c)]);
       return patches_of(small);
     }},
};

TEST(PictureCheck, FindsEveryErrorInEveryPicture) {
  for (const Error& error : errors) {
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < pictures().size(); ++i)
      least = std::min(least, levels(pictures()[i], error.plant(i)));
    RecordProperty(error.name, std::to_string(least));
    EXPECT_GT(least, 1.5 * kMostLevels) << error.name;
  }
}

TEST(PictureCheck, WhatIsNoNumberOrNotThereFails) {
  const data::Image& image = pictures()[0];
  data::PatchMatrix patches = patches_of(image);
  patches.values[77] = std::nanf("");
  EXPECT_TRUE(std::isnan(levels(image, patches)));
  patches.values.pop_back();
  EXPECT_EQ(levels(image, patches), 255);
  EXPECT_EQ(worst_level(image, {1, 8, 8}, vision, {}), 255);
}

}  // namespace
}  // namespace vlmark::recipe
