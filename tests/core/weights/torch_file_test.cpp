// Torch checkpoints made by hand: what is read, and one sentence for each way in which a file can be wrong or hostile.
#include "weights/torch_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "core/weights/files.hpp"
#include "core/weights/torch_bytes.hpp"

namespace diopter::weights {
namespace {

using ::testing::HasSubstr;
using namespace testing;

const std::string kSixFloats(24, '\x40');

TorchFile read(const std::string& bytes) { return read_torch_file(bytes, nullptr, "f.pt"); }
std::string refused(const std::string& bytes) {
  return refusal([&] { read(bytes); });
}
std::string refused_pickle(const std::string& body) { return refused(torch_zip(pickle(body), {{"0", kSixFloats}})); }
std::string one(const std::string& value) { return dict({{"w", value}}); }

TEST(TorchFile, TensorsAreViewsAndTheRestIsADocument) {
  const std::string bytes = torch_zip(
      pickle(
          dict({{"model", dict({{"w", tensor(storage("0", 6), 0, {2, 3}, {3, 1})}, {"step", whole(7)}})},
                {"model_args",
                 dict({{"n_layer", whole(3)}, {"bias", "\x89"}, {"lr", "G" + std::string("\x3f\xe0\0\0\0\0\0\0", 8)}})},
                {"none", "N"},
                {"betas", "(" + whole(1) + whole(2) + "t"},
                {"best", tensor(storage("0", 6), 5, {}, {})}})),
      {{"0", kSixFloats}});
  const TorchFile file = read(bytes);
  ASSERT_EQ(file.tensors.size(), 1U);
  const TensorView& w = file.tensors.at("w");
  EXPECT_EQ(w.shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_TRUE(w.strides.empty());
  EXPECT_EQ(w.bytes, kSixFloats);
  EXPECT_TRUE(w.bytes.data() >= bytes.data() && w.bytes.data() < bytes.data() + bytes.size()) << "a copy";
  EXPECT_EQ(file.document, base::Json::parse(R"({"model_args":{"n_layer":3,"bias":false,"lr":0.5},"none":null,)"
                                             R"("betas":[1,2],"best":{"tensor":"F32","shape":[]}})"));
}

TEST(TorchFile, SharedStridedAndExpandedTensorsKeepTheirStrides) {
  const std::string all = storage("0", 6);
  const TorchFile file = read(torch_zip(pickle(dict({{"whole", tensor(all, 0, {6}, {1})},
                                                     {"transposed", tensor(all, 0, {3, 2}, {1, 3})},
                                                     {"column", tensor(all, 1, {2}, {3})},
                                                     {"expanded", tensor(all, 5, {4, 1}, {0, 1})},
                                                     {"empty", tensor(all, 6, {0, 9}, {9, 1})}})),
                                        {{"0", kSixFloats}}));
  EXPECT_EQ(file.tensors.at("whole").bytes.size(), 24U);
  EXPECT_EQ(file.tensors.at("transposed").strides, (std::vector<std::int64_t>{1, 3}));
  EXPECT_EQ(file.tensors.at("column").bytes.size(), 16U) << "from element 1 to 4";
  EXPECT_EQ(file.tensors.at("column").bytes.data() - file.tensors.at("whole").bytes.data(), 4);
  EXPECT_EQ(file.tensors.at("expanded").bytes.size(), 4U);
  EXPECT_EQ(file.tensors.at("empty").bytes.size(), 0U);
}

TEST(TorchFile, OrderedDictsParametersAndTheirAttributesAreRead) {
  const std::string parameter =
      global("torch._utils", "_rebuild_parameter") +
      tuple({tensor(storage("0", 6), 0, {6}, {1}), "\x88", global("collections", "OrderedDict") + ")R"}) + "R";
  const TorchFile file = read(torch_zip(pickle(global("collections", "OrderedDict") + ")R(" + text("w") + parameter +
                                               "u" + dict({{"_metadata", "N"}}) + "b"),
                                        {{"0", kSixFloats}}));
  EXPECT_EQ(file.tensors.at("w").shape, (std::vector<std::int64_t>{6}));
}

TEST(TorchFile, WhatWouldRunCodeIsRefusedByName) {
  EXPECT_THAT(refused_pickle(one(global("posix", "system") + tuple({text("touch owned")}) + "R")),
              HasSubstr("'posix.system'"));
  EXPECT_THAT(refused_pickle(one(text("os") + text("system") + "\x93")),
              HasSubstr("would run code: it names 'os.system'"));
  EXPECT_THAT(refused_pickle(one(global("torch._utils", "_rebuild_tensor_v3"))), HasSubstr("_rebuild_tensor_v3"));
  EXPECT_THAT(refused_pickle(one(global("torch", "load"))), HasSubstr("'torch.load'"));
  EXPECT_THAT(refused_pickle(one(global("torch", "Size") + ")\x81")), HasSubstr("opcode"));
  EXPECT_THAT(refused_pickle(one("(i__main__\nEvil\n")), HasSubstr("0x69"));
  EXPECT_THAT(refused_pickle(one(text("x") + dict({{"a", "N"}}) + "b")), HasSubstr("attributes"));
}

TEST(TorchFile, DefectsOfThePickleAreRefused) {
  EXPECT_THAT(refused_pickle("}(u"), HasSubstr("expected tensors by name in it"));
  EXPECT_THAT(refused_pickle("]"), HasSubstr("expected a state dict"));
  EXPECT_THAT(refused_pickle("N1"), HasSubstr("expected a mark"));
  EXPECT_THAT(refused_pickle("h\x07"), HasSubstr("remembered as 7"));
  EXPECT_THAT(refused_pickle("R"), HasSubstr("empty stack"));
  EXPECT_THAT(refused_pickle("X" + le(0xfffffff0, 4)), HasSubstr("cut short"));
  EXPECT_THAT(refused_pickle("\x8d" + le(~0ULL, 8)), HasSubstr("cut short"));
  EXPECT_THAT(refused_pickle("\x8a\x09" + std::string(9, '\1')), HasSubstr("at most 64 bits"));
  EXPECT_THAT(refused_pickle("NN"), HasSubstr("a pickle of one value"));
  EXPECT_THAT(refused(torch_zip("\x80\x09N.", {})), HasSubstr("protocol 2 to 5, got 9"));
  EXPECT_THAT(refused_pickle("}" + tuple({text("x")}) + tensor(storage("0", 6), 0, {6}, {1}) + "s"),
              HasSubstr("expected texts or whole numbers as keys"));
}

TEST(TorchFile, BombsAreRefusedWithoutMemory) {
  std::string nested = "]q";  // each list holds the one before it twice: 2^60 values
  nested += std::string(1, '\0');
  for (char i = 0; i < 60; ++i) nested += std::string("0](h") + i + "h" + i + "eq" + static_cast<char>(i + 1);
  EXPECT_THAT(refused_pickle(dict({{"w", tensor(storage("0", 6), 0, {6}, {1})}, {"bomb", nested}})),
              HasSubstr("too deep or too many"));
  const std::string deep(300'000, ']');
  EXPECT_THAT(
      refused_pickle(dict({{"w", tensor(storage("0", 6), 0, {6}, {1})}, {"deep", deep + std::string(299'999, 'a')}})),
      HasSubstr("too deep or too many"));
  EXPECT_THAT(refused_pickle("]q" + std::string(1, '\0') + "h" + std::string(1, '\0') + "a" + "0" +
                             one("h" + std::string(1, '\0'))),
              HasSubstr("expected tensors by name"));  // a list that holds itself
  EXPECT_THAT(refused_pickle(std::string(5'000'000, ']')), HasSubstr("expected at most"));
  std::string calls = "](";  // OrderedDict of a long list, thousands of times
  for (int i = 0; i < 2'000; ++i) calls += "NN\x86";
  calls += "eq" + std::string(1, '\0') + "0(";
  for (int i = 0; i < 2'000; ++i) calls += global("collections", "OrderedDict") + "h" + std::string(1, '\0') + "\x85R";
  EXPECT_THAT(refused_pickle(calls + "t"), HasSubstr("expected at most"));
}

TEST(TorchFile, TensorsStayWithinTheirStorage) {
  const auto of = [](const std::string& value) { return refused_pickle(one(value)); };
  const std::string six = storage("0", 6);
  EXPECT_THAT(of(tensor(six, 0, {7}, {1})), HasSubstr("reaches element 7 of a storage of 6"));
  EXPECT_THAT(of(tensor(six, 4, {2, 2}, {2, 1})), HasSubstr("reaches element 8 of a storage of 6"));
  EXPECT_THAT(of(tensor(six, 0x7fffffff, {2}, {1})), HasSubstr("of a storage of 6"));
  EXPECT_THAT(of(tensor(six, 0xffffffff, {2}, {1})), HasSubstr("0 or more as the offset"));
  EXPECT_THAT(of(tensor(six, 0, {2, 2}, {1})), HasSubstr("a stride for each size"));
  EXPECT_THAT(of(tensor(six, 0, std::vector<std::uint64_t>(9, 0x7fffffff), std::vector<std::uint64_t>(9, 0))),
              HasSubstr("more elements than can be counted"));
  EXPECT_THAT(of(tensor(six, 0, std::vector<std::uint64_t>(40, 1), std::vector<std::uint64_t>(40, 1))),
              HasSubstr("arguments"));
  EXPECT_THAT(of(tensor(storage("1", 6), 0, {6}, {1})), HasSubstr("as record '1', got none"));
  EXPECT_THAT(of(tensor(storage("../0", 6), 0, {6}, {1})), HasSubstr("as record '../0', got none"));
  EXPECT_THAT(of(tensor(storage("0", 7), 0, {6}, {1})), HasSubstr("expected 28 bytes in its storage, got 24"));
  EXPECT_THAT(of(tensor(storage("0", 6, "ComplexFloatStorage"), 0, {6}, {1})),
              HasSubstr("'torch.ComplexFloatStorage'"));
}

TEST(TorchFile, ContainersAreChecked) {
  const std::string good = pickle(one(tensor(storage("0", 6), 0, {6}, {1})));
  EXPECT_THAT(refused(zip_bytes({{"a/data.pkl", good, 8}})), HasSubstr("got 'a/data.pkl' compressed"));
  EXPECT_THAT(refused(zip_bytes({{"a/data.pkl", good}, {"b/data.pkl", good}})), HasSubstr("got two"));
  EXPECT_THAT(refused(zip_bytes({{"a/data.pkl", good}, {"a/data.pkl", good}})), HasSubstr("twice"));
  EXPECT_THAT(refused(zip_bytes({{"word/document.xml", ""}})), HasSubstr("expected a NAME/data.pkl"));
  EXPECT_THAT(refused(zip_bytes({{"a/data.pkl", good}, {"a/byteorder", "big"}})), HasSubstr("got 'big'"));
  std::string file = torch_zip(good, {{"0", kSixFloats}});
  EXPECT_THAT(refused(file.substr(0, file.size() - 30)), HasSubstr("expected a directory at its end"));
  // A directory entry that says its record is longer reaches into the next one.
  const std::size_t entry = file.find("a/data/0", file.find("PK\x01\x02")) - 46;
  std::string longer = file;
  longer.replace(entry + 20, 8, le(60, 4) + le(60, 4));
  EXPECT_THAT(refused(longer), HasSubstr("records overlap"));
  longer.replace(entry + 20, 8, le(0xffffffff, 4) + le(0xffffffff, 4));
  EXPECT_THAT(refused(longer), HasSubstr("expected the zip64 sizes"));
  std::string many = file;
  many.replace(file.size() - 12, 2, le(0xfff0, 2));
  EXPECT_THAT(refused(many), HasSubstr("directory entries to fit"));
  EXPECT_THAT(refused("PK\x03\x04"), HasSubstr("expected a directory"));
}

}  // namespace
}  // namespace diopter::weights
