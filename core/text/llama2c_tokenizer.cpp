#include "text/llama2c_tokenizer.hpp"

#include <cstdint>
#include <cstring>

#include "base/error.hpp"

namespace diopter::text {
namespace {

[[noreturn]] void refuse_llama2c(const std::string& origin, const std::string& why) {
  throw base::UserError(base::Exit::Refused, origin + " is not a tokenizer of llama2.c: " + why,
                        "give the tokenizer.model it was exported from", "tokenizer.llama2c");
}

// Numbers of SentencePiece's sentencepiece_model.proto.
constexpr std::uint64_t kNormal = 1, kUnknown = 2, kControl = 3, kByte = 6, kBpe = 2;

std::string varint(std::uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
  return out;
}

std::string number_of(std::uint64_t tag, std::uint64_t value) { return varint(tag << 3) + varint(value); }
std::string bytes_of(std::uint64_t tag, std::string_view bytes) {
  return varint(tag << 3 | 2) + varint(bytes.size()) + std::string(bytes);
}

std::uint64_t type_of(std::size_t id) {
  constexpr std::size_t kFirstByte = 3, kPastBytes = 259;
  if (id == 0) return kUnknown;
  if (id < kFirstByte) return kControl;
  return id < kPastBytes ? kByte : kNormal;
}

std::string piece_text(std::size_t id, std::string_view stored) {
  if (id == 1) return "<s>";  // stored with line breaks around it
  if (id == 2) return "</s>";
  std::string text;
  for (const char c : stored) {
    if (c == ' ') text += "\u2581";
    else text.push_back(c);
  }
  return text;
}

}  // namespace

std::string llama2c_as_sentencepiece(std::string_view bytes, const std::string& origin) {
  constexpr std::size_t kHeader = 4, kFront = 8, kFewest = 260;  // kFront: score and length of a piece
  if (bytes.size() < kHeader) refuse_llama2c(origin, "expected at least 4 bytes");
  std::string out;
  std::size_t id = 0;
  for (std::size_t at = kHeader; at < bytes.size(); ++id) {
    std::int32_t length = -1;
    if (bytes.size() - at >= kFront) std::memcpy(&length, bytes.data() + at + 4, sizeof length);
    if (length < 1 || static_cast<std::size_t>(length) > bytes.size() - at - kFront)
      refuse_llama2c(origin, "expected piece " + std::to_string(id) + " to end within the file");
    const std::string_view score = bytes.substr(at, 4),
                           stored = bytes.substr(at + kFront, static_cast<std::size_t>(length));
    out += bytes_of(
        1, bytes_of(1, piece_text(id, stored)) + varint(2 << 3 | 5) + std::string(score) + number_of(3, type_of(id)));
    at += kFront + stored.size();
  }
  if (id < kFewest)
    refuse_llama2c(origin, "expected <unk>, BOS, EOS, 256 bytes and more, got " + std::to_string(id) + " pieces");
  out += bytes_of(2, number_of(3, kBpe) + number_of(35, 1));                      // trainer: BPE, byte fallback
  return out + bytes_of(3, number_of(3, 1) + number_of(4, 0) + number_of(5, 1));  // normalizer: prefix, spaces kept
}

}  // namespace diopter::text
