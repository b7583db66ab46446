#include "weights/safetensors_header.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/weights/files.hpp"

namespace diopter::weights {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::little_endian;
using testing::refusal;
using testing::safetensors_bytes;

std::string defect(const std::string& bytes) {
  return refusal([&] { parse_safetensors_header(bytes, "m.safetensors"); });
}
std::string defect(std::string_view header, std::size_t data) { return defect(safetensors_bytes(header, data)); }

TEST(SafetensorsHeader, ReadsNamesShapesDtypesAndMetadata) {
  const std::string header =
      R"({"__metadata__":{"format":"pt"},"b":{"dtype":"F32","shape":[2,3],"data_offsets":[4,28]},"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]},)"
      R"("scalar":{"dtype":"I64","shape":[],"data_offsets":[28,36]},"none":{"dtype":"F32","shape":[0,5],"data_offsets":[36,36]}}   )";
  const SafetensorsHeader read = parse_safetensors_header(safetensors_bytes(header, 36), "m");
  EXPECT_EQ(read.data_start, 8 + header.size());
  EXPECT_EQ(read.metadata.at("format"), "pt");
  ASSERT_EQ(read.tensors.size(), 4U);
  EXPECT_EQ(read.tensors[0].name, "a");
  EXPECT_EQ(read.tensors[0].dtype, Dtype::BF16);
  EXPECT_EQ(read.tensors[1].name, "b");
  EXPECT_THAT(read.tensors[1].shape, ElementsAre(2, 3));
  EXPECT_EQ(read.tensors[1].begin, 4U);
  EXPECT_EQ(read.tensors[1].end, 28U);
  EXPECT_EQ(read.tensors[2].name, "scalar");
  EXPECT_TRUE(read.tensors[2].shape.empty());
  EXPECT_EQ(read.tensors[3].name, "none");
}

TEST(SafetensorsHeader, AnEmptyFileOfNoTensorsIsValid) {
  EXPECT_TRUE(parse_safetensors_header(safetensors_bytes("{}", 0), "m").tensors.empty());
}

TEST(SafetensorsHeader, RefusesBadLengths) {
  EXPECT_THAT(defect(""), HasSubstr("expected at least 8 bytes"));
  EXPECT_THAT(defect("1234567"), HasSubstr("got 7"));
  EXPECT_THAT(defect(little_endian(0)), HasSubstr("begins with '{'"));
  EXPECT_THAT(defect(little_endian(3) + "{}"), HasSubstr("expected a header of 3 bytes, got only 2"));
  EXPECT_THAT(defect(little_endian(UINT64_MAX) + "{}"), HasSubstr("at most 100000000"));
  EXPECT_THAT(defect(little_endian(kMaximalHeader) + "{}"), HasSubstr("got only 2 bytes"));
}

TEST(SafetensorsHeader, RefusesWhatIsNotTheExpectedJson) {
  EXPECT_THAT(defect(" {}", 0), HasSubstr("begins with '{'"));
  EXPECT_THAT(defect("{", 0), HasSubstr("valid JSON"));
  EXPECT_THAT(defect("{}x", 0), HasSubstr("valid JSON"));
  EXPECT_THAT(defect("{\"\xff\":1}", 0), HasSubstr("valid JSON"));
  EXPECT_THAT(defect(R"({"a":[]})", 0), HasSubstr("to be an object, got array"));
  EXPECT_THAT(defect(R"({"a":[[[[[[]]]]]]})", 0), HasSubstr("at most 3 levels"));
  EXPECT_THAT(
      defect(
          R"({"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}})",
          0),
      HasSubstr("every key once, got \"a\" twice"));
  EXPECT_THAT(defect(R"({"a":{"dtype":"F32","dtype":"F32","shape":[0],"data_offsets":[0,0]}})", 0),
              HasSubstr("\"dtype\" twice"));
}

TEST(SafetensorsHeader, RefusesWrongEntries) {
  EXPECT_THAT(defect(R"({"a":{"shape":[1],"data_offsets":[0,4]}})", 4), HasSubstr("has no 'dtype'"));
  EXPECT_THAT(defect(R"({"a":{"dtype":"F32","data_offsets":[0,4]}})", 4), HasSubstr("has no 'shape'"));
  EXPECT_THAT(defect(R"({"a":{"dtype":"F32","shape":[1]}})", 4), HasSubstr("has no 'data_offsets'"));
  EXPECT_THAT(defect(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}})", 4),
              HasSubstr("unknown key \"x\""));
  EXPECT_THAT(defect(R"({"a":{"dtype":"F23","shape":[1],"data_offsets":[0,4]}})", 4),
              HasSubstr("unknown dtype \"F23\" (did you mean"));
  EXPECT_THAT(defect(R"({"a":{"dtype":1,"shape":[1],"data_offsets":[0,4]}})", 4),
              HasSubstr("expected a string as dtype"));
  EXPECT_THAT(defect(R"({"a":{"dtype":"F32","shape":1,"data_offsets":[0,4]}})", 4),
              HasSubstr("expected a list as shape"));
  EXPECT_THAT(defect(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4), HasSubstr("sizes of 0 or more"));
  EXPECT_THAT(defect(R"({"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}})", 4),
              HasSubstr("sizes of 0 or more"));
  EXPECT_THAT(defect(R"({"a":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,4]}})", 4),
              HasSubstr("sizes of 0 or more"));
  EXPECT_THAT(defect(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}})", 4),
              HasSubstr("data_offsets [begin, end]"));
  EXPECT_THAT(defect(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,"4"]}})", 4),
              HasSubstr("data_offsets [begin, end]"));
  EXPECT_THAT(defect(R"({"__metadata__":{"a":1}})", 0), HasSubstr("only strings in __metadata__, got number"));
  EXPECT_THAT(defect(R"({"__metadata__":[]})", 0), HasSubstr("__metadata__ to be an object"));
}

TEST(SafetensorsHeader, RefusesOffsetsThatDoNotFit) {
  EXPECT_THAT(defect(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 4),
              HasSubstr("within the 4 bytes of data, got [0, 8]"));
  EXPECT_THAT(defect(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", 4), HasSubstr("got [4, 0]"));
  EXPECT_THAT(defect(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4),
              HasSubstr("expected 8 bytes for shape [2] of F32, got 4"));
  EXPECT_THAT(defect(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296,4],"data_offsets":[0,4]}})", 4),
              HasSubstr("more bytes than can be counted"));
  EXPECT_THAT(defect(R"({"a":{"dtype":"F32","shape":[0,4294967296,4294967296],"data_offsets":[0,0]}})", 0),
              HasSubstr("more bytes than can be counted"));
}

TEST(SafetensorsHeader, RefusesOverlapsHolesAndRests) {
  const auto two = [](int begin, int end) {
    return R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[)" +
           std::to_string(end - begin) + R"(],"data_offsets":[)" + std::to_string(begin) + "," + std::to_string(end) +
           "]}}";
  };
  EXPECT_EQ(parse_safetensors_header(safetensors_bytes(two(4, 8), 8), "m").tensors.size(), 2U);
  EXPECT_THAT(defect(two(3, 8), 8), HasSubstr("(tensors overlap)"));
  EXPECT_THAT(defect(two(0, 8), 8), HasSubstr("(tensors overlap)"));
  EXPECT_THAT(
      defect(two(5, 8), 8),
      HasSubstr("expected tensor \"b\" to begin at byte 4 of the data, where the one before it ends, got 5 (a hole)"));
  EXPECT_THAT(defect(two(4, 8), 9), HasSubstr("expected 8 bytes of data after the header, got 9"));
  EXPECT_THAT(defect("{}", 1), HasSubstr("expected 0 bytes of data"));
}

TEST(SafetensorsHeader, NamesTheFileAndOneRemedy) {
  try {
    parse_safetensors_header("", "folder/m.safetensors");
    FAIL();
  } catch (const base::UserError& error) {
    EXPECT_THAT(error.what(), HasSubstr("folder/m.safetensors is not a readable safetensors file"));
    EXPECT_EQ(error.help(), "fetch or export the file again");
    EXPECT_EQ(error.id(), "weights.safetensors");
  }
}

}  // namespace
}  // namespace diopter::weights
