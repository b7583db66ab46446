#include "text/protobuf_reader.hpp"

namespace diopter::text {
namespace {

std::uint64_t fixed(std::string_view bytes) {
  std::uint64_t out = 0;
  for (std::size_t i = bytes.size(); i > 0; --i) out = out << 8 | static_cast<unsigned char>(bytes[i - 1]);
  return out;
}

}  // namespace

std::uint64_t ProtobufReader::varint() {
  std::uint64_t out = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const auto byte = static_cast<unsigned char>(take(1)[0]);
    out |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return out;
  }
  throw ProtobufError("a number is longer than 64 bits");
}

std::string_view ProtobufReader::take(std::uint64_t size) {
  if (size > rest_.size()) throw ProtobufError("it is cut off");
  const std::string_view out = rest_.substr(0, static_cast<std::size_t>(size));
  rest_.remove_prefix(out.size());
  return out;
}

bool ProtobufReader::next(Field& field) {
  if (rest_.empty()) return false;
  const std::uint64_t key = varint();
  field = {};
  field.tag = static_cast<std::uint32_t>(key >> 3);
  if (field.tag == 0 || key >> 32 != 0) throw ProtobufError("a field has no valid number");
  field.wire = static_cast<Wire>(key & 7);
  switch (field.wire) {
    case Wire::Number: field.number = varint(); return true;
    case Wire::Fixed64: field.number = fixed(take(8)); return true;
    case Wire::Fixed32: field.number = fixed(take(4)); return true;
    case Wire::Bytes: field.bytes = take(varint()); return true;
  }
  throw ProtobufError("a field has an unknown kind");
}

}  // namespace diopter::text
