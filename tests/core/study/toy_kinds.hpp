// Plugin tables for tests of the manifest: the shapes of real kinds, without code behind them.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "diopter/abi.h"
#include "study/study.hpp"

namespace diopter::study::toys {

const diopter_kind& patching();     // pairs, answers, metrics, choices, index lists
const diopter_kind& everything();   // a row of each type; edits
const diopter_kind& make_corpus();  // training; gives the data set "documents" and the model "model"
const diopter_kind& train_lm();     // training; reads data from another run
const std::vector<const diopter_kind*>& all();

// Knows these kinds; a model of 12 layers, 12 heads, 1024 positions called "gpt2", and "organism" with 4 and 4.
StudyOptions options(std::vector<std::string> overrides = {});

// A row as the SDK would emit it.
diopter_param row(const char* name, std::uint32_t type, const char* fallback = nullptr);

// A folder of this test, emptied when made, removed at the end.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::filesystem::path write(const std::string& name, std::string_view text) const;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// What is said about a manifest "m.toml" with this text; "" when nothing.
std::string problems_of(const std::string& manifest, std::vector<std::string> overrides = {});
// The messages alone, in order, without place and source lines.
std::vector<std::string> messages_of(const std::string& manifest, std::vector<std::string> overrides = {});
// A study that must be free of errors (the test fails, and throws, otherwise).
Study study_of(const std::string& manifest, std::vector<std::string> overrides = {});

// A sound manifest around these lines of [[run]] (kind everything when they name none).
std::string manifest_with(const std::string& run_lines, const std::string& rest = {});
std::string sound_manifest();

}  // namespace diopter::study::toys
