#include "text/tokenizer_source.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/hash.hpp"
#include "text/config_tokens.hpp"
#include "text/llama2c_tokenizer.hpp"
#include "text/sentencepiece_file.hpp"
#include "text/vocab_merges.hpp"

namespace diopter::text {
namespace {

namespace fs = std::filesystem;

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

void read_one(const fs::path& file, TokenizerSource& out) {
  const std::string bytes = base::read_file(file);
  out.origin = file.string();
  out.sha256 = base::sha256(bytes);
  const bool llama2c = file.extension() == ".bin";
  if (file.extension() != ".model" && !llama2c) {
    out.file = read_tokenizer_file(bytes, out.origin);
    return;
  }
  base::Json document =
      sentencepiece_document(llama2c ? llama2c_as_sentencepiece(bytes, out.origin) : bytes, out.origin);
  if (out.config) {
    const base::Json config = parse_json(*out.config, out.config_origin);
    add_config_tokens(Field(config, out.config_origin, ""), base::Json::object(), document["added_tokens"]);
  }
  out.file = read_tokenizer_document(document, out.origin);
}

void read_pair(const fs::path& vocab_file, const fs::path& merges_file, TokenizerSource& out) {
  const std::string vocab = base::read_file(vocab_file), merges = base::read_file(merges_file);
  VocabMerges files{vocab, merges, vocab_file.string(), merges_file.string(), {}, out.config_origin};
  if (out.config) files.config = *out.config;
  out.origin = vocab_file.string();
  out.sha256 = base::sha256(vocab + merges);
  out.file = read_tokenizer_document(vocab_merges_document(files), out.origin);
}

}  // namespace

std::vector<fs::path> tokenizer_files(const fs::path& path) {
  static const std::vector<std::vector<const char*>> kKinds = {
      {"tokenizer.json"}, {"tokenizer.model"}, {"vocab.json", "merges.txt"}, {"encoder.json", "vocab.bpe"}};
  std::error_code ignored;
  const bool folder = fs::is_directory(path, ignored);
  std::vector<fs::path> out;
  if (!folder && is_file(path)) out.push_back(path);
  for (const auto& kind : kKinds) {
    const auto there = [&](const char* name) { return is_file(path / name); };
    if (!folder || !out.empty() || !std::all_of(kind.begin(), kind.end(), there)) continue;
    for (const char* name : kind) out.push_back(path / name);
  }
  const fs::path config = (folder ? path : path.parent_path()) / "tokenizer_config.json";
  if (!out.empty() && is_file(config)) out.push_back(config);
  return out;
}

TokenizerSource read_tokenizer_source(const fs::path& path) {
  std::vector<fs::path> files = tokenizer_files(path);
  if (files.empty()) {
    std::error_code ignored;
    const bool folder = fs::is_directory(path, ignored);
    throw base::UserError(base::Exit::Refused,
                          "there is no tokenizer file " + (folder ? path / "tokenizer.json" : path).string() +
                              (folder ? ", nor tokenizer.model, nor vocab.json with merges.txt" : ""),
                          "transformers writes one: AutoTokenizer.from_pretrained(...).save_pretrained(DIRECTORY)",
                          "tokenizer.missing");
  }
  TokenizerSource out;
  if (files.size() > 1 && files.back().filename() == "tokenizer_config.json") {
    out.config = base::read_file(files.back());
    out.config_origin = files.back().string();
    files.pop_back();
  }
  if (files.size() == 1) read_one(files[0], out);
  else read_pair(files[0], files[1], out);
  return out;
}

}  // namespace diopter::text
