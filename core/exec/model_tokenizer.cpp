#include "exec/model_tokenizer.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "text/tokenizer_source.hpp"

namespace diopter::exec {
namespace fs = std::filesystem;
namespace {

// llama2.c calls its own tokenizer.bin or, by vocabulary size, tok512.bin; other *.bin may be anything.
bool is_llama2c_name(const std::string& stem) {
  return stem == "tokenizer" || (stem.size() > 3 && stem.find_first_not_of("0123456789", 3) == std::string::npos);
}

std::vector<fs::path> named(const fs::path& folder, const std::string& extension) {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const fs::path& file = entry.path();
    const std::string stem = file.stem().string();
    if (!entry.is_regular_file() || file.extension() != extension || !stem.starts_with("tok")) continue;
    if (extension == ".model" || is_llama2c_name(stem)) out.push_back(file);
  }
  std::sort(out.begin(), out.end());
  return out;
}

// The one of the model's size.
std::optional<fs::path> of_size(const std::vector<fs::path>& files, Index size) {
  std::optional<fs::path> found;
  for (const fs::path& file : files) {
    if (text::Tokenizer::load(file).size() != size) continue;
    if (found) {
      throw base::UserError(base::Exit::Refused,
                            fmt::format("expected one tokenizer of {} tokens beside the model, got {} and {}", size,
                                        found->string(), file.string()),
                            "name the right one tokenizer.model", "tokenizer.several");
    }
    found = file;
  }
  return found;
}

}  // namespace

std::vector<fs::path> tokenizer_files(const ModelFolder& model) {
  std::vector<fs::path> usual = text::tokenizer_files(model.folder);
  if (!usual.empty()) return usual;
  for (const char* extension : {".model", ".bin"}) {
    const std::vector<fs::path> candidates = named(model.folder, extension);
    if (candidates.empty()) continue;
    if (const auto file = of_size(candidates, read_info(model).d_vocab)) return {*file};
  }
  return {};
}

std::optional<text::Tokenizer> load_tokenizer(const ModelFolder& model) {
  if (!text::tokenizer_files(model.folder).empty()) return text::Tokenizer::load(model.folder);
  const std::vector<fs::path> files = tokenizer_files(model);
  if (files.empty()) return std::nullopt;
  return text::Tokenizer::load(files.front());
}

std::string vocabulary_mismatch(const text::Tokenizer& tokenizer, const ModelInfo& info) {
  const Index tokens = tokenizer.size(), rows = info.d_vocab;
  if (tokens > rows) {
    return fmt::format(
        "the tokenizer has {} tokens and {} has rows for {}; a text with a token from id {} on is refused", tokens,
        info.name, rows, rows);
  }
  if (rows - tokens > std::max<Index>(1024, rows / 20)) {
    return fmt::format("the tokenizer has {} tokens and {} has rows for {}; it may be another model's", tokens,
                       info.name, rows);
  }
  return {};
}

}  // namespace diopter::exec
