#include "weights/hub/file_choice.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <functional>
#include <set>

#include "base/error.hpp"
#include "base/hints.hpp"

namespace diopter::hub {
namespace {

using Names = std::vector<std::string>;

const std::set<std::string> kAlways = {"config.json",
                                       "generation_config.json",
                                       "tokenizer.json",
                                       "tokenizer.model",
                                       "tokenizer_config.json",
                                       "special_tokens_map.json",
                                       "added_tokens.json",
                                       "vocab.json",
                                       "merges.txt",
                                       "encoder.json",
                                       "vocab.bpe",
                                       "spiece.model",
                                       "sentencepiece.bpe.model",
                                       "chat_template.jinja"};

// What trainers leave beside a model in PyTorch's format.
const std::set<std::string> kTrainerState = {"training_args.bin", "optimizer.pt", "optimizer.bin", "scheduler.pt",
                                             "scheduler.bin",     "scaler.pt",    "rng_state.pth"};

bool at_top(const std::string& name) { return name.find('/') == std::string::npos; }
bool is_there(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool digits_at(const std::string& text, std::size_t from, std::size_t to) {
  return from < to &&
         std::all_of(text.begin() + static_cast<std::ptrdiff_t>(from), text.begin() + static_cast<std::ptrdiff_t>(to),
                     [](char c) { return c >= '0' && c <= '9'; });
}

// "STEM-00001-of-00002.EXTENSION"
bool is_shard(const std::string& name, const std::string& stem, const std::string& extension) {
  if (!name.starts_with(stem + "-") || !name.ends_with(extension)) return false;
  const std::size_t from = stem.size() + 1, to = name.size() - extension.size(), of = name.find("-of-", from);
  return of != std::string::npos && digits_at(name, from, of) && digits_at(name, of + 4, to);
}

Names those(const Names& names, const std::function<bool(const std::string&)>& wanted) {
  Names out;
  std::copy_if(names.begin(), names.end(), std::back_inserter(out), wanted);
  return out;
}

// One file, or an index with its shards; nothing when there is neither.
Names whole_or_sharded(const Names& top, const std::string& stem, const std::string& extension) {
  if (is_there(top, stem + extension)) return {stem + extension};
  const std::string index = stem + extension + ".index.json";
  if (!is_there(top, index)) return {};
  return those(top, [&](const std::string& name) { return name == index || is_shard(name, stem, extension); });
}

bool is_torch(const std::string& name) {
  const bool state = kTrainerState.count(name) > 0 || name.starts_with("rng_state_");
  return !state && (name.ends_with(".bin") || name.ends_with(".pt") || name.ends_with(".pth"));
}

Names weights_of(const Names& top) {
  Names out = whole_or_sharded(top, "model", ".safetensors");
  if (out.empty()) out = those(top, [](const std::string& name) { return name.ends_with(".safetensors"); });
  if (out.empty()) out = whole_or_sharded(top, "pytorch_model", ".bin");
  return out.empty() ? those(top, is_torch) : out;
}

bool matches(const std::string& name, std::string pattern) {
  if (pattern.ends_with('/')) pattern += '*';
  return ::fnmatch(pattern.c_str(), name.c_str(), FNM_NOESCAPE) == 0;
}

}  // namespace

Names model_files_of(const Names& names) {
  const Names top = those(names, at_top);
  const Names weights = weights_of(top);
  std::set<std::string> out(weights.begin(), weights.end());
  for (const std::string& name : top) {
    if (kAlways.count(name) > 0) out.insert(name);
  }
  return {out.begin(), out.end()};
}

Names matching_files(const Names& names, const Names& patterns) {
  std::set<std::string> out;
  for (const std::string& pattern : patterns) {
    const Names found = those(names, [&](const std::string& name) { return matches(name, pattern); });
    if (found.empty()) {
      throw base::UserError(
          base::Exit::NoMatch,
          "no file of the model matches " + base::quoted(pattern) + base::did_you_mean(pattern, names),
          "'*' matches any text; put the pattern in quotes", "hub.include");
    }
    out.insert(found.begin(), found.end());
  }
  return {out.begin(), out.end()};
}

}  // namespace diopter::hub
