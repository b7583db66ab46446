#include "text/config_tokens.hpp"

#include <algorithm>
#include <map>

namespace diopter::text {
namespace {

using base::Json;

bool is_added(const Json& added, const std::string& content) {
  return std::any_of(added.begin(), added.end(), [&](const Json& token) { return token["content"] == content; });
}

// {"50256": {"content": .., flags}}
std::map<std::uint64_t, Json> by_id(const Field& decoder) {
  decoder.require_object();
  std::map<std::uint64_t, Json> out;
  for (const auto& [key, value] : decoder.value().items()) {
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (key.empty() || key.size() > 9 || !std::all_of(key.begin(), key.end(), is_digit)) {
      decoder.at(key).refuse("expected a token id as key");
    }
    decoder.at(key).at("content").text();
    Json token = value;
    token["id"] = std::stoull(key);
    out.emplace(std::stoull(key), std::move(token));
  }
  return out;
}

}  // namespace

Json special_token_document(std::uint64_t id, const std::string& content) {
  return {{"id", id},        {"content", content},  {"single_word", false}, {"lstrip", false},
          {"rstrip", false}, {"normalized", false}, {"special", true}};
}

void add_config_tokens(const Field& config, const Json& vocab, Json& added) {
  if (config.has("added_tokens_decoder")) {
    for (auto& [id, token] : by_id(config.at("added_tokens_decoder"))) {
      if (!is_added(added, token["content"])) added.push_back(std::move(token));
    }
  }
  for (const char* key : {"bos_token", "eos_token", "unk_token", "pad_token"}) {
    if (!config.has(key)) continue;
    const Field field = config.at(key);
    const std::string& content = field.value().is_object() ? field.at("content").text() : field.text();
    const auto known = vocab.find(content);
    if (known == vocab.end() || !Field::is_id(*known) || is_added(added, content)) continue;
    added.push_back(special_token_document(known->get<std::uint64_t>(), content));
  }
}

}  // namespace diopter::text
