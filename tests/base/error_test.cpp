#include "src/base/error.hpp"

#include <gmock/gmock.h>

#include "src/base/dtype.hpp"

namespace vlmark {
namespace {

TEST(Errors, CarryTheirExitCode) {
  EXPECT_EQ(ShapeError("x").exit_code(), ExitCode::usage);
  EXPECT_EQ(ValueError("x").exit_code(), ExitCode::usage);
  EXPECT_EQ(ConfigError("x").exit_code(), ExitCode::usage);
  EXPECT_EQ(IoError("x").exit_code(), ExitCode::io);
  EXPECT_EQ(CommError("x").exit_code(), ExitCode::communication);
  EXPECT_EQ(DeviceError("x").exit_code(), ExitCode::internal);
  EXPECT_EQ(AgreedError("x", ExitCode::io).exit_code(), ExitCode::io);
}

TEST(Errors, AreCaughtAsErrorAndKeepTheirText) {
  EXPECT_THAT([] { throw IoError("a.toml: cannot be read (x). Check y"); },
              testing::ThrowsMessage<Error>("a.toml: cannot be read (x). Check y"));
}

TEST(RequireExtents, AcceptsEqualShapes) {
  EXPECT_NO_THROW(require_extents("f", "x", {2, 7}, {2, 7}));
  EXPECT_NO_THROW(require_extents("f", "x", {}, {}));
  EXPECT_NO_THROW(require_extents("f", "x", {0}, {0}));
}

TEST(RequireExtents, NamesPlaceArgumentAndBothShapes) {
  EXPECT_THAT(
      [] {
        require_extents("rms_norm", "w", {2, 7}, {2, 8});
      },
      testing::ThrowsMessage<ShapeError>(
          "rms_norm: argument 'w' has shape [2, 7] (expected [2, 8]). Make them equal"));
  EXPECT_THAT(
      [] {
        require_extents("f", "x", {3}, {3, 1});
      },
      testing::ThrowsMessage<ShapeError>(
          "f: argument 'x' has shape [3] (expected [3, 1]). Make them equal"));
  EXPECT_THAT([] { require_extents("f", "x", {}, {1}); },
              testing::ThrowsMessage<ShapeError>(
                  "f: argument 'x' has shape [] (expected [1]). Make them equal"));
}

TEST(DTypes, SizesAndNames) {
  EXPECT_EQ(size_of(DType::f64) + size_of(DType::i64), 16u);
  EXPECT_EQ(size_of(DType::f32) + size_of(DType::i32), 8u);
  EXPECT_EQ(size_of(DType::bf16), 2u);
  EXPECT_EQ(size_of(DType::u8), 1u);
  EXPECT_EQ(name_of(DType::f32), "fp32");
  EXPECT_EQ(name_of(DType::bf16), "bf16");
}

}  // namespace
}  // namespace vlmark
