#include "text/vocab_merges.hpp"

#include <algorithm>

#include "base/utf8.hpp"
#include "text/config_tokens.hpp"
#include "text/json_field.hpp"

namespace diopter::text {
namespace {

using base::Json;

constexpr const char* kQwen2 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

Json byte_level_document(bool add_prefix_space, bool use_regex) {
  return {
      {"type", "ByteLevel"}, {"add_prefix_space", add_prefix_space}, {"trim_offsets", true}, {"use_regex", use_regex}};
}

Json merge_lines(std::string_view text) {
  Json out = Json::array();
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty()) out.push_back(line);
  }
  return out;
}

}  // namespace

Json vocab_merges_document(const VocabMerges& files) {
  const Json vocab = parse_json(files.vocab, files.vocab_origin);
  Field(vocab, files.vocab_origin, "").require_object();
  if (const auto bad = base::invalid_utf8_offset(files.merges)) {
    Field(Json(*bad), files.merges_origin, "the byte that is not UTF-8").refuse("expected a text file of merges");
  }
  Json out = {{"version", "1.0"},
              {"added_tokens", Json::array()},
              {"normalizer", nullptr},
              {"pre_tokenizer", byte_level_document(false, true)},
              {"post_processor", nullptr},
              {"decoder", byte_level_document(false, true)},
              {"model", {{"type", "BPE"}, {"vocab", vocab}, {"merges", merge_lines(files.merges)}}}};
  const Json nothing = Json::object();
  const Json document = files.config ? parse_json(*files.config, files.config_origin) : nothing;
  const Field config(document, files.config_origin, "");
  config.require_object();
  add_config_tokens(config, vocab, out["added_tokens"]);
  const auto end = vocab.find("<|endoftext|>");
  if (out["added_tokens"].empty() && end != vocab.end() && Field::is_id(*end)) {
    out["added_tokens"].push_back(special_token_document(end->get<std::uint64_t>(), "<|endoftext|>"));
  }
  const std::string kind = config.has("tokenizer_class") ? config.at("tokenizer_class").text() : "GPT2Tokenizer";
  if (kind == "Qwen2Tokenizer" || kind == "Qwen2TokenizerFast") {
    out["normalizer"] = {{"type", "NFC"}};
    out["pre_tokenizer"] = {
        {"type", "Sequence"},
        {"pretokenizers",
         {{{"type", "Split"}, {"pattern", {{"Regex", kQwen2}}}, {"behavior", "Isolated"}, {"invert", false}},
          byte_level_document(false, false)}}};
  } else if (kind == "GPT2Tokenizer" || kind == "GPT2TokenizerFast") {
    out["pre_tokenizer"]["add_prefix_space"] = config.flag("add_prefix_space", false);
  } else {
    config.at("tokenizer_class").refuse("with vocab.json and merges.txt supported: GPT2Tokenizer, Qwen2Tokenizer");
  }
  return out;
}

}  // namespace diopter::text
