#include "text/decoder.hpp"

#include <algorithm>
#include <optional>

#include "base/utf8.hpp"
#include "text/byte_alphabet.hpp"
#include "text/characters.hpp"
#include "text/pattern.hpp"

namespace diopter::text {
namespace {

using Tokens = std::vector<std::string>;

// <0x0A>; as the library, which also takes <0x0a> and <0x+a>.
std::optional<char> spelled_byte(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || !token.ends_with('>')) return std::nullopt;
  std::string_view digits = token.substr(3, 2);
  if (digits[0] == '+') digits.remove_prefix(1);
  unsigned value = 0;
  for (const char c : digits) {
    if (c >= '0' && c <= '9') value = value * 16 + static_cast<unsigned>(c - '0');
    else if (c >= 'a' && c <= 'f') value = value * 16 + static_cast<unsigned>(c - 'a') + 10;
    else if (c >= 'A' && c <= 'F') value = value * 16 + static_cast<unsigned>(c - 'A') + 10;
    else return std::nullopt;
  }
  return static_cast<char>(static_cast<unsigned char>(value));
}

std::string bytes_of_symbols(const std::string& token) { return from_symbols(token).value_or(token); }

Tokens decode_step(const DecodeBytes&, Tokens tokens) {
  std::string all;
  for (const auto& token : tokens) all += bytes_of_symbols(token);
  return {base::replace_invalid_utf8(all)};
}

Tokens decode_step(const DecodeSpelling&, Tokens tokens) {
  Tokens out;
  std::string run;
  const auto flush = [&] {
    if (run.empty()) return;
    if (!base::invalid_utf8_offset(run)) out.push_back(run);
    else out.insert(out.end(), run.size(), "\uFFFD");
    run.clear();
  };
  for (auto& token : tokens) {
    if (const auto byte = spelled_byte(token)) {
      run += *byte;
    } else {
      flush();
      out.push_back(std::move(token));
    }
  }
  flush();
  return out;
}

Tokens decode_step(const Fuse&, Tokens tokens) {
  std::string all;
  for (const auto& token : tokens) all += token;
  return {all};
}

Tokens decode_step(const StripCharacter& strip, Tokens tokens) {
  std::string content;
  append_character(content, strip.content);
  for (auto& token : tokens) {
    std::size_t begin = 0, end = token.size();
    for (std::size_t i = 0; i < strip.start && std::string_view(token).substr(begin).starts_with(content); ++i) {
      begin += content.size();
    }
    for (std::size_t i = 0; i < strip.stop && std::string_view(token).substr(0, end).ends_with(content); ++i) {
      end -= content.size();
    }
    token = begin < end ? token.substr(begin, end - begin) : std::string();
  }
  return tokens;
}

Tokens decode_step(const Replace& replace, Tokens tokens) {
  Regex::Workspace workspace;
  for (auto& token : tokens) token = replaced(replace, token, workspace);
  return tokens;
}

// The first token loses its marks where encoding puts one before the text.
Tokens decode_step(const MarkSpaces& spaces, Tokens tokens) {
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const std::string_view space = i == 0 && spaces.prepend != MarkSpaces::Prepend::Never ? "" : " ";
    std::string out;
    for (std::size_t at = 0; at < tokens[i].size();) {
      const std::size_t mark = std::min(tokens[i].find(spaces.mark, at), tokens[i].size());
      out.append(tokens[i], at, mark - at);
      if (mark == tokens[i].size()) break;
      out += space;
      at = mark + spaces.mark.size();
    }
    tokens[i] = std::move(out);
  }
  return tokens;
}

// What each step makes of one token's bytes.
std::string bytes_step(const DecodeBytes&, const std::string& token) { return bytes_of_symbols(token); }
std::string bytes_step(const DecodeSpelling&, const std::string& token) {
  const auto byte = spelled_byte(token);
  return byte ? std::string(1, *byte) : token;
}
std::string bytes_step(const Fuse&, const std::string& token) { return token; }
std::string bytes_step(const StripCharacter&, const std::string& token) { return token; }
std::string bytes_step(const Replace& replace, const std::string& token) {
  Regex::Workspace workspace;
  return replaced(replace, token, workspace);
}
std::string bytes_step(const MarkSpaces& spaces, const std::string& token) {
  return std::move(decode_step(MarkSpaces{spaces.mark, MarkSpaces::Prepend::Never, false}, {token})[0]);
}

class DecoderReader {
 public:
  std::vector<DecoderStep> steps;

  void read(const Field& field, int depth) {
    const std::string& type = field.at("type").text();
    if (type == "Sequence") {
      field.only({"type", "decoders"});
      if (depth > 8) field.refuse("Sequences are nested too deep");
      const Field list = field.at("decoders");
      for (std::size_t i = 0; i < list.size(); ++i) read(list.at(i), depth + 1);
    } else if (type == "ByteLevel") {
      field.only({"type", "add_prefix_space", "trim_offsets", "use_regex"});
      steps.emplace_back(DecodeBytes{});
    } else if (type == "ByteFallback") {
      field.only({"type"});
      steps.emplace_back(DecodeSpelling{});
    } else if (type == "Fuse") {
      field.only({"type"});
      steps.emplace_back(Fuse{});
    } else if (type == "Strip") {
      steps.emplace_back(strip(field));
    } else if (type == "Replace") {
      field.only({"type", "pattern", "content"});
      steps.emplace_back(Replace{read_pattern(field.at("pattern")), field.at("content").text()});
    } else if (type == "Metaspace") {
      steps.emplace_back(read_metaspace(field));
    } else {
      field.at("type").refuse("supported: ByteLevel, ByteFallback, Fuse, Strip, Replace, Metaspace, Sequence");
    }
  }

 private:
  static StripCharacter strip(const Field& field) {
    field.only({"type", "content", "start", "stop"});
    const auto content = base::code_points(field.at("content").text());
    if (content.size() != 1) field.at("content").refuse("expected one character");
    return {content[0], static_cast<std::size_t>(field.at("start").id()),
            static_cast<std::size_t>(field.at("stop").id())};
  }
};

}  // namespace

Decoder::Decoder(std::vector<DecoderStep> steps) : steps_(std::move(steps)), present_(true) {
  joins_bytes_ = steps_.size() == 1 && std::holds_alternative<DecodeBytes>(steps_[0]);
}

std::string Decoder::text(std::vector<std::string> tokens) const {
  for (const DecoderStep& step : steps_) {
    tokens = std::visit([&](const auto& one) { return decode_step(one, std::move(tokens)); }, step);
  }
  std::string out;
  for (std::size_t i = 0; i < tokens.size(); ++i) out += (i > 0 && !present_ ? " " : "") + tokens[i];
  return base::replace_invalid_utf8(out);
}

std::string Decoder::bytes(const std::string& token) const {
  std::string out = token;
  for (const DecoderStep& step : steps_) {
    out = std::visit([&](const auto& one) { return bytes_step(one, out); }, step);
    // What follows a spelled byte sees a part of a character, which no pattern may be given.
    if (base::invalid_utf8_offset(out)) break;
  }
  return out;
}

Decoder read_decoder(const Field& root) {
  if (!root.has("decoder")) return {};
  DecoderReader reader;
  reader.read(root.at("decoder"), 0);
  return Decoder(std::move(reader.steps));
}

}  // namespace diopter::text
