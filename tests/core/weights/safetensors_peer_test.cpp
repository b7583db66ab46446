// The Python package `safetensors` as peer: its files are read here, files written here are read by it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <vector>

#include "base/canonical_json.hpp"
#include "base/files.hpp"
#include "base/hash.hpp"
#include "core/weights/files.hpp"
#include "peers/python_peer.hpp"
#include "weights/safetensors_file.hpp"
#include "weights/safetensors_writer.hpp"

namespace diopter::weights {
namespace {

base::Json description(const SafetensorsFile& file) {
  base::Json all = base::Json::object();
  for (const auto& [name, view] : file.tensors()) {
    all[name] = {{"dtype", dtype_name(view.dtype)}, {"shape", view.shape}, {"sha256", base::sha256(view.bytes)}};
  }
  return {{"tensors", all}, {"metadata", file.metadata()}};
}

TEST(SafetensorsPeer, ReadsWhatPythonWrites) {
  const std::filesystem::path folder = peers::oracle("safetensors");
  if (folder.empty()) GTEST_SKIP() << peers::missing_oracle("safetensors");
  const base::Json expected = base::Json::parse(base::read_file(folder / "expected.json"));
  EXPECT_EQ(description(SafetensorsFile(folder / "written_by_python.safetensors")), expected);
  EXPECT_GE(expected["tensors"].size(), 12U);
}

TEST(SafetensorsPeer, PythonReadsWhatIsWrittenHere) {
  const testing::Folder folder;
  std::vector<std::vector<char>> contents;
  std::vector<TensorToWrite> tensors;
  contents.reserve(8);
  unsigned char next = 1;
  for (const Dtype dtype :
       {Dtype::F32, Dtype::BF16, Dtype::F16, Dtype::I64, Dtype::U8, Dtype::Bool, Dtype::F64, Dtype::I32}) {
    std::vector<char>& bytes = contents.emplace_back(6 * element_size(dtype));
    for (char& byte : bytes)
      byte = dtype == Dtype::Bool ? static_cast<char>(next++ & 1) : static_cast<char>(next++ & 0x3f);
    tensors.push_back(
        {std::string("tensor.") + std::string(dtype_name(dtype)), dtype, {2, 3}, {bytes.data(), bytes.size()}});
  }
  tensors.push_back({"\xc3\xbc \"quoted\"", Dtype::F32, {0, 7}, {}});
  write_safetensors(folder.path() / "m.safetensors", tensors, {{"format", "pt"}, {"note", "two\nlines"}});

  const peers::Outcome run = peers::run_python(
      "model_read_back.py",
      {"safetensors", (folder.path() / "m.safetensors").string(), (folder.path() / "read.json").string()});
  if (run == peers::Outcome::NoPython) GTEST_SKIP() << peers::kNoPython;
  ASSERT_EQ(run, peers::Outcome::Done);
  EXPECT_EQ(base::Json::parse(base::read_file(folder.path() / "read.json")),
            description(SafetensorsFile(folder.path() / "m.safetensors")));
}

}  // namespace
}  // namespace diopter::weights
