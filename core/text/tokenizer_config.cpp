#include "text/tokenizer_config.hpp"

#include <algorithm>

#include "text/json_field.hpp"

namespace diopter::text {
namespace {

const AddedToken* find(const TokenizerFile& file, const std::string& content) {
  const auto added = std::find_if(file.added.begin(), file.added.end(),
                                  [&](const AddedToken& token) { return token.content == content; });
  return added == file.added.end() ? nullptr : &*added;
}

// "<s>" or {"content": "<s>", ...}
std::optional<std::string> token_name(const Field& root, const char* key, const TokenizerFile& file) {
  if (!root.has(key)) return std::nullopt;
  const Field field = root.at(key);
  const std::string& name = field.value().is_object() ? field.at("content").text() : field.text();
  if (!find(file, name)) field.refuse("the tokenizer has no added token of this content");
  return name;
}

}  // namespace

TokenizerConfig read_tokenizer_config(std::string_view json, const std::string& origin, const TokenizerFile& file) {
  const base::Json document = parse_json(json, origin);
  const Field root(document, origin, "");
  root.require_object();
  const bool prefixes = file.pre_tokeniser.prefixes_bytes();
  const bool byte_level = file.pre_tokeniser.gives_bytes();
  if (byte_level && root.has("add_prefix_space") && root.at("add_prefix_space").flag() != prefixes) {
    root.at("add_prefix_space")
        .refuse(std::string("tokenizer.json says ") + (prefixes ? "true" : "false") + ": make the two agree");
  }
  if (root.has("added_tokens_decoder")) {
    const Field added = root.at("added_tokens_decoder");
    added.require_object();
    for (const auto& [id, value] : added.value().items()) {
      const Field content = added.at(id).at("content");
      const AddedToken* token = find(file, content.text());
      if (!token || std::to_string(token->id) != id) {
        content.refuse("the tokenizer has no added token of this content and id");
      }
    }
  }
  TokenizerConfig out{token_name(root, "bos_token", file), token_name(root, "eos_token", file), {}, {}};
  if (root.has("add_bos_token") || root.has("add_eos_token")) {
    out.add_bos = root.flag("add_bos_token", false);
    out.add_eos = root.flag("add_eos_token", false);
  }
  return out;
}

}  // namespace diopter::text
