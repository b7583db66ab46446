// Files for other programs, read back by numpy and safetensors where they are installed.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>

#include "base/files.hpp"
#include "cli/export_tensor.hpp"
#include "core/cli/command.hpp"
#include "environment.hpp"
#include "peers/python_peer.hpp"
#include "report/npy.hpp"

namespace {

using namespace diopter::cli;

template <typename T>
std::string bytes_of(const std::vector<T>& values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

const NamedArray kFloats{"effect",
                         "f32",
                         {2, 3},
                         bytes_of<float>({0, 1, 2, 3, 4, 5.5f}),
                         {{"layer", 2, {}, {}, {}}, {"pos", 3, {"a", "b,", "a"}, {}, {}}}};
const NamedArray kScalar{"blocks.0.n", "i64", {}, bytes_of<std::int64_t>({-7}), {}};
const NamedArray kBrain{"half", "bf16", {2}, bytes_of<std::uint16_t>({0x3F80, 0xC040}), {}};  // 1, -3

TEST(Export, NpyHeaderIsAlignedAndExact) {
  const std::string npy = diopter::report::npy_bytes("f32", {2, 3}, kFloats.bytes);
  EXPECT_EQ(npy.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
  EXPECT_EQ((npy.size() - 24) % 64, 0u);
  EXPECT_NE(npy.find("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"), std::string::npos);
  EXPECT_EQ(npy.substr(npy.size() - 24), kFloats.bytes);
}

TEST(Export, CsvNamesEveryCell) {
  EXPECT_EQ(csv_bytes(kFloats),
            "layer,pos,pos_label,effect\n0,0,a,0.0\n0,1,\"b,\",1.0\n0,2,a,2.0\n1,0,a,3.0\n1,1,\"b,\",4.0\n1,2,a,5.5\n");
}

TEST(Export, SafetensorsHeader) {
  const std::string file = safetensors_bytes({kFloats, kBrain});
  std::uint64_t size = 0;
  std::memcpy(&size, file.data(), 8);
  EXPECT_EQ(size % 8, 0u);
  EXPECT_EQ(file.substr(8, size).find("{\"effect\":{\"data_offsets\":[0,24],\"dtype\":\"F32\",\"shape\":[2,3]},"
                                      "\"half\":{\"data_offsets\":[24,28],\"dtype\":\"BF16\",\"shape\":[2]}}"),
            0u);
  EXPECT_EQ(file.size(), 8 + size + 28);
}

// Whichever Python has the module; empty when none has.
std::string python_with(const std::string& module) {
  const std::string source = diopter::tests::source_folder().string();
  for (const std::string& python :
       {source + "/.deps/peers-hf/bin/python", source + "/.deps/torch/bin/python", std::string("python3")}) {
    if (diopter::test::shell(python + " -c 'import " + module + "'").exit == 0) return python;
  }
  return {};
}

class ReadBack : public testing::Test {
 protected:
  ReadBack() : file_(std::filesystem::temp_directory_path() / ("diopter_export_" + std::to_string(::getpid()))) {}
  ~ReadBack() override {
    for (const char* ending : {".npy", ".npz", ".safetensors"}) std::filesystem::remove(file_.string() + ending);
  }
  std::filesystem::path file_;
};

TEST_F(ReadBack, ByNumpy) {
  const std::string python = python_with("numpy");
  ASSERT_FALSE(python.empty() && diopter::peers::required()) << "CI=true, but there is no Python with numpy";
  if (python.empty()) GTEST_SKIP() << "no Python with numpy (./dev peers)";
  write_arrays(file_.string() + ".npy", {kFloats});
  write_arrays(file_.string() + ".npz", {kFloats, kScalar, kBrain});
  const auto result = diopter::test::shell(
      python + " -c \"import numpy; a = numpy.load('" + file_.string() + ".npy'); z = numpy.load('" + file_.string() +
      ".npz'); print(a.dtype, a.tolist(), z.files, z['effect'].tolist() == a.tolist(), z['blocks.0.n'].shape, "
      "int(z['blocks.0.n']), z['half'].tolist())\"");
  EXPECT_EQ(result.out,
            "float32 [[0.0, 1.0, 2.0], [3.0, 4.0, 5.5]] ['effect', 'blocks.0.n', 'half'] True () -7 [1.0, -3.0]\n")
      << result.err;
}

TEST_F(ReadBack, BySafetensors) {
  const std::string python = python_with("safetensors.torch");
  ASSERT_FALSE(python.empty() && diopter::peers::required()) << "CI=true, but there is no Python with safetensors";
  if (python.empty()) GTEST_SKIP() << "no Python with safetensors (./dev peers)";
  write_arrays(file_.string() + ".safetensors", {kFloats, kScalar, kBrain});
  const auto result =
      diopter::test::shell(python + " -c \"from safetensors.torch import load_file; z = load_file('" + file_.string() +
                           ".safetensors'); print(sorted(z), z['effect'].tolist(), z['blocks.0.n'].item(), "
                           "z['half'].tolist(), z['half'].dtype)\"");
  EXPECT_EQ(result.out,
            "['blocks.0.n', 'effect', 'half'] [[0.0, 1.0, 2.0], [3.0, 4.0, 5.5]] -7 [1.0, -3.0] torch.bfloat16\n")
      << result.err;
}

}  // namespace
