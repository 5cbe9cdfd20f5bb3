#include "src/io/safetensors.hpp"

#include <cstring>
#include <fstream>

#include "src/base/error.hpp"
#include "src/io/tensor_values.hpp"
#include "tests/io/support.hpp"
#include "tests/io/writers.hpp"
#include "tests/support/random_data.hpp"

namespace vlmark::test {
namespace {

using io::SafetensorsFile;
using io::TensorType;

std::string with_length(const std::string& header, const std::string& data, std::uint64_t length) {
  std::string text(sizeof length, '\0');
  std::memcpy(text.data(), &length, sizeof length);
  return text + header + data;
}
std::string file_of(const std::string& header, const std::string& data) {
  return with_length(header, data, header.size());
}

std::string bytes_of(const std::filesystem::path& path) { return io::read_text_file(path); }

/// Rewrites a file through the writer with everything the reader gives.
void rewrite(const std::filesystem::path& from, const std::filesystem::path& to) {
  const SafetensorsFile file(from);
  // The writer sorts: give it another order.
  write_safetensors(to, {file.tensors().rbegin(), file.tensors().rend()}, file.metadata());
}

TEST(Safetensors, EqualsTheReferenceImplementationByteForByte) {
  const TemporaryFolder folder;
  for (const auto& original :
       {foreign_file("all_types.safetensors"), golden_folder() / "tiny/model.safetensors",
        golden_folder() / "tiny-tied/model-00002-of-00002.safetensors",
        golden_folder() / "tiny/image.safetensors"}) {
    rewrite(original, folder / "copy.safetensors");
    EXPECT_TRUE(bytes_of(original) == bytes_of(folder / "copy.safetensors")) << original;
  }
}

TEST(Safetensors, ReadsEveryType) {
  const SafetensorsFile file(foreign_file("all_types.safetensors"));
  EXPECT_EQ(file.tensors().size(), 12u);
  EXPECT_EQ(file.metadata().at("format"), "pt");
  EXPECT_EQ(io::to_integers(file.tensor("b")), (std::vector<std::int64_t>{0, 1, 2}));
  EXPECT_EQ(file.tensor("c").numel(), 0u);
  EXPECT_EQ(file.tensor("c").shape, (std::vector<std::int64_t>{0}));
  EXPECT_TRUE(file.tensor("e").shape.empty());
  EXPECT_EQ(io::to_doubles(file.tensor("e")), std::vector<double>{1});
  EXPECT_EQ(io::to_floats(file.tensor("a")), std::vector<float>(4, 1));
  for (const char* name : {"d", "f", "g", "h", "i", "j", "k", "l"})
    EXPECT_EQ(io::to_integers(file.tensor(name))[0], 1) << name;
  EXPECT_EQ(file.find("z"), nullptr);
  expect_error<IoError>([&] { file.tensor("z"); }, {"all_types.safetensors", "no tensor 'z'"});
}

TEST(Safetensors, TakesPiecesInAnyOrderAndKeepsBits) {
  const TemporaryFolder folder;
  const auto values = gaussian(1003, 5);
  std::vector<bf16> narrowed;
  for (const float value : values) narrowed.push_back(to_bf16(value));
  const auto bytes = std::as_bytes(std::span(values));
  io::SafetensorsWriter writer(
      folder / "x", {{"narrow", TensorType::bf16, {1003}}, {"pieces", TensorType::f32, {17, 59}}});
  writer.write("pieces", 1000, bytes.subspan(1000));
  writer.write("narrow", 0, std::as_bytes(std::span(narrowed)));
  for (std::size_t i = 0; i < 1000; i += 100) writer.write("pieces", i, bytes.subspan(i, 100));
  EXPECT_FALSE(std::filesystem::exists(folder / "x"));
  writer.commit();
  const SafetensorsFile file(folder / "x");
  EXPECT_EQ(io::to_floats(file.tensor("pieces")), values);
  std::vector<bf16> read(500);
  io::copy_values(file.tensor("narrow"), 503, std::span(read));
  EXPECT_EQ(std::memcmp(read.data(), narrowed.data() + 503, 1000), 0);
  EXPECT_FALSE(std::filesystem::exists(folder / "x.tmp"));
}

TEST(Safetensors, AFailedWriteLeavesNothing) {
  const TemporaryFolder folder;
  const std::vector<float> values(3);
  const auto bytes = std::as_bytes(std::span(values));
  const io::TensorSpec spec{"w", TensorType::f32, {4}};
  expect_error<ValueError>(
      [&] {
        io::SafetensorsWriter writer(folder / "x", {spec});
        writer.write("w", 0, bytes);
        writer.commit();
      },
      {"'w' got 12 bytes but has 16"});
  io::SafetensorsWriter writer(folder / "y", {spec});
  expect_error<ValueError>([&] { writer.write("w", 5, bytes); }, {"'w' got bytes [5, 17)", "16"});
  expect_error<ValueError>([&] { writer.write("v", 0, bytes); }, {"'v' is not of this file"});
  expect_error<ValueError>(
      [&] {
        io::SafetensorsWriter twice(folder / "x", {spec, spec});
      },
      {"'w' is given twice"});
  EXPECT_FALSE(std::filesystem::exists(folder / "x"));
  EXPECT_FALSE(std::filesystem::exists(folder / "x.tmp"));
  io::write_text_file(folder / "file", "");
  expect_error<IoError>([&] { io::SafetensorsWriter w(folder / "file" / "x", {spec}); },
                        {"cannot be written", "Not a directory"});
  expect_error<IoError>([&] { io::SafetensorsWriter w("/proc/x", {spec}); }, {"/proc/x"});
}

TEST(Safetensors, ConvertsHalves) {
  // One, the smallest subnormal, the largest, minus zero, infinity: IEEE 754-2008, table 3.5.
  const std::vector<std::uint16_t> bits = {0x3c00, 0x0001, 0x7bff, 0x8000, 0x7c00, 0xc000};
  const io::TensorView half{"h", TensorType::f16, {6}, std::as_bytes(std::span(bits))};
  const auto values = io::to_floats(half);
  EXPECT_EQ(values, (std::vector<float>{1, 0x1p-24f, 65504, -0.0f, INFINITY, -2}));
  EXPECT_TRUE(std::signbit(values[3]));
  expect_error<ValueError>([&] { io::require_finite(values, 100, "h", "model.safetensors"); },
                           {"model.safetensors: element 104 of 'h' is inf"});
}

TEST(Safetensors, NamesTheFirstValueThatIsNotFinite) {
  std::vector<float> values(9000, 1);
  values[3] = std::numeric_limits<float>::max();
  values[4] = std::numeric_limits<float>::denorm_min();
  EXPECT_NO_THROW(io::require_finite(values, 0, "w", "f"));
  for (const float bad : {NAN, -NAN, INFINITY, -INFINITY}) {
    values[8500] = values[8999] = bad;
    expect_error<ValueError>([&] { io::require_finite(values, 7, "w", "f"); },
                             {"f: element 8507 of 'w'"});
  }
}

TEST(Safetensors, DroppedPagesReadTheSame) {
  const TemporaryFolder folder;
  const auto values = gaussian(100'003, 6);
  const io::TensorView view{"w", TensorType::f32, {100'003}, std::as_bytes(std::span(values))};
  write_safetensors(folder / "x", {view});
  const SafetensorsFile file(folder / "x");
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(io::to_floats(file.tensor("w")), values);
    io::drop_pages(file.tensor("w").data);
    io::drop_pages(file.tensor("w").data.first(1));
    io::drop_pages({});
  }
}

TEST(Safetensors, ReadsUnalignedData) {
  const TemporaryFolder folder;
  const double value = 1.25;
  std::string data(sizeof value, '\0');
  std::memcpy(data.data(), &value, sizeof value);
  io::write_text_file(folder / "x",
                      file_of(R"({"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}})", data));
  EXPECT_EQ(io::to_doubles(SafetensorsFile(folder / "x").tensor("a")), std::vector<double>{1.25});
}

TEST(Safetensors, RefusesRangesAndTypes) {
  const std::vector<float> values(4, 1);
  const io::TensorView view{"w", TensorType::f32, {4}, std::as_bytes(std::span(values))};
  std::vector<float> out(2);
  expect_error<ShapeError>([&] { io::copy_values(view, 3, std::span(out)); },
                           {"[3, 5)", "'w'", "has 4"});
  expect_error<ValueError>([&] { io::to_integers(view); }, {"'w' is F32", "integer"});
  const io::TensorView ids{"i", TensorType::i32, {4}, std::as_bytes(std::span(values))};
  expect_error<ValueError>([&] { io::to_floats(ids); }, {"'i' is I32"});
}

struct Malformed {
  const char* name;
  std::string content;
  std::vector<std::string> text;
};
void PrintTo(const Malformed& bad, std::ostream* out) { *out << bad.name; }
class MalformedSafetensors : public testing::TestWithParam<Malformed> {};

TEST_P(MalformedSafetensors, IsRefusedWithBothValues) {
  const TemporaryFolder folder;
  io::write_text_file(folder / "bad.safetensors", GetParam().content);
  expect_error<IoError>([&] { SafetensorsFile file(folder / "bad.safetensors"); },
                        {"bad.safetensors: "});
  expect_error<IoError>([&] { SafetensorsFile file(folder / "bad.safetensors"); }, GetParam().text);
}

std::string one(const std::string& entry) { return "{\"w\":" + entry + "}"; }
std::string typed(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return R"({"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
}

INSTANTIATE_TEST_SUITE_P(
    All, MalformedSafetensors,
    testing::Values(
        Malformed{"empty", "", {"has 0 bytes"}},
        Malformed{"truncated_length", "abc", {"has 3 bytes"}},
        Malformed{
            "header_longer_than_file", with_length("{}", "", 3), {"3 bytes", "only 2 follow"}},
        Malformed{"header_too_long", with_length("{}", "", 1u << 30), {"1073741824", "100000000"}},
        Malformed{"bad_json", file_of("{\"w\":", ""), {"not valid JSON"}},
        Malformed{"no_object", file_of("[]", ""), {"not a JSON object"}},
        Malformed{"twice", file_of(R"({"w":{},"w":{}})", ""), {"'w' stands twice"}},
        Malformed{"entry", file_of(one("3"), ""), {"tensor 'w'", "is 3"}},
        Malformed{"no_type", file_of(one("{}"), ""), {"tensor 'w'", "'dtype'"}},
        Malformed{"type", file_of(one(typed("F24", "[1]", "[0,3]")), "abc"), {"'w'", "'F24'"}},
        Malformed{"no_shape", file_of(one(R"({"dtype":"U8"})"), ""), {"'w'", "'shape'"}},
        Malformed{"shape", file_of(one(typed("U8", "[-1]", "[0,1]")), "a"), {"'w'", "-1"}},
        Malformed{"overflow",
                  file_of(one(typed("F64", "[4294967296,4294967296]", "[0,8]")), "abcdefgh"),
                  {"'w'", "more than 2^64"}},
        Malformed{"no_offsets",
                  file_of(one(R"({"dtype":"U8","shape":[1]})"), ""),
                  {"'w'", "'data_offsets'"}},
        Malformed{"reversed", file_of(one(typed("U8", "[1]", "[1,0]")), "a"), {"'w'", "[1, 0]"}},
        Malformed{"truncated_data",
                  file_of(one(typed("F32", "[2]", "[0,8]")), "abcd"),
                  {"'w'", "[0, 8]", "holds 4 bytes", "truncated"}},
        Malformed{"size",
                  file_of(one(typed("BF16", "[2]", "[0,8]")), "abcdefgh"),
                  {"'w'", "span 8 bytes", "BF16 [2] has 4"}},
        Malformed{"overlap",
                  file_of("{\"v\":" + typed("U8", "[3]", "[0,3]") +
                              ",\"w\":" + typed("U8", "[2]", "[2,4]") + "}",
                          "abcd"),
                  {"'w'", "at byte 2", "'v' ends at 3", "overlap"}},
        Malformed{"hole",
                  file_of("{\"v\":" + typed("U8", "[1]", "[0,1]") +
                              ",\"w\":" + typed("U8", "[2]", "[2,4]") + "}",
                          "abcd"),
                  {"'w'", "at byte 2", "end at 1", "hole"}},
        Malformed{"trailing",
                  file_of(one(typed("U8", "[1]", "[0,1]")), "ab"),
                  {"holds 2 bytes", "cover 1"}},
        Malformed{"metadata", file_of(R"({"__metadata__":{"a":1}})", ""), {"'a' is 1"}}),
    [](const auto& malformed) { return malformed.param.name; });

TEST(Safetensors, RefusesWhatIsNoFile) {
  expect_error<IoError>([] { SafetensorsFile file("/nowhere/x"); }, {"/nowhere/x", "No such file"});
  expect_error<IoError>([] { SafetensorsFile file("/tmp"); }, {"/tmp", "not a regular file"});
}

TEST(Safetensors, AnyTruncationIsRefused) {
  const TemporaryFolder folder;
  const auto whole = bytes_of(golden_folder() / "tiny/text.safetensors");
  for (const double part : {0.0, 0.0001, 0.01, 0.3, 0.9999}) {
    const auto size = static_cast<std::size_t>(part * static_cast<double>(whole.size()));
    io::write_text_file(folder / "cut", whole.substr(0, size));
    EXPECT_THROW(SafetensorsFile(folder / "cut"), IoError) << size;
  }
}

}  // namespace
}  // namespace vlmark::test
