#include "weights/safetensors_writer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstring>

#include "base/files.hpp"
#include "core/weights/files.hpp"
#include "weights/safetensors_file.hpp"

namespace diopter::weights {
namespace {

using ::testing::ElementsAre;
using testing::Folder;

template <class T, std::size_t N>
std::string_view bytes_of(const std::array<T, N>& values) {
  return {reinterpret_cast<const char*>(values.data()), sizeof(values)};
}

TEST(SafetensorsWriter, WhatIsWrittenIsReadBack) {
  const Folder folder;
  const std::array<float, 6> floats{1, 2, 3, 4, 5, -0.5F};
  const std::array<std::int64_t, 2> integers{7, -8};
  const std::array<std::uint8_t, 3> flags{1, 0, 1};
  write_safetensors(folder.path() / "m.safetensors",
                    {{"flags", Dtype::Bool, {3}, bytes_of(flags)},
                     {"x \"quoted\"\n", Dtype::F32, {2, 3}, bytes_of(floats)},
                     {"i", Dtype::I64, {2, 1}, bytes_of(integers)},
                     {"empty", Dtype::F32, {0, 3}, {}}},
                    {{"format", "pt"}});
  const SafetensorsFile file(folder.path() / "m.safetensors");
  EXPECT_EQ(file.metadata().at("format"), "pt");
  ASSERT_EQ(file.tensors().size(), 4U);
  const TensorView& x = file.tensors().at("x \"quoted\"\n");
  EXPECT_EQ(x.dtype, Dtype::F32);
  EXPECT_THAT(x.shape, ElementsAre(2, 3));
  EXPECT_EQ(x.bytes, bytes_of(floats));
  EXPECT_EQ(file.tensors().at("i").bytes, bytes_of(integers));
  EXPECT_EQ(file.tensors().at("flags").bytes, bytes_of(flags));
  EXPECT_TRUE(file.tensors().at("empty").bytes.empty());
}

TEST(SafetensorsWriter, EveryTensorIsAligned) {
  const Folder folder;
  const std::array<std::uint8_t, 3> bytes{1, 2, 3};
  const std::array<double, 1> wide{4};
  write_safetensors(folder.path() / "m.safetensors",
                    {{"a", Dtype::U8, {3}, bytes_of(bytes)}, {"b", Dtype::F64, {1}, bytes_of(wide)}});
  const SafetensorsFile file(folder.path() / "m.safetensors");
  for (const auto& [name, view] : file.tensors()) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(view.bytes.data()) % element_size(view.dtype), 0U) << name;
  }
}

TEST(SafetensorsWriter, EqualContentGivesEqualBytes) {
  const Folder folder;
  const std::array<float, 1> one{1}, two{2};
  const TensorToWrite a{"a", Dtype::F32, {1}, bytes_of(one)}, b{"b", Dtype::F32, {1}, bytes_of(two)};
  write_safetensors(folder.path() / "1", {a, b}, {{"k", "v"}});
  write_safetensors(folder.path() / "2", {b, a}, {{"k", "v"}});
  EXPECT_EQ(base::read_file(folder.path() / "1"), base::read_file(folder.path() / "2"));
}

TEST(SafetensorsWriter, LeavesNothingBehindWhereItCannotWrite) {
  const Folder folder;
  try {
    write_safetensors(folder.path() / "missing" / "m.safetensors", {});
    FAIL() << "expected an error";
  } catch (const base::UserError& error) {
    EXPECT_EQ(error.exit(), base::Exit::Store);
    EXPECT_THAT(error.what(), ::testing::HasSubstr("No such file or directory"));
  }
  std::filesystem::create_directory(folder.path() / "taken");
  std::filesystem::create_directory(folder.path() / "taken" / "inside");
  EXPECT_THROW(write_safetensors(folder.path() / "taken", {}), base::UserError);
  int entries = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) entries += entry.exists();
  EXPECT_EQ(entries, 1);  // only "taken"
}

}  // namespace
}  // namespace diopter::weights
