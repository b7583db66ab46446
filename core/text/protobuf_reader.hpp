// Reads protocol buffers' wire format: the fields of one message in order. No schema, no allocation.
#pragma once

#include <bit>
#include <cstdint>
#include <stdexcept>
#include <string_view>

namespace diopter::text {

struct ProtobufError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class ProtobufReader {
 public:
  explicit ProtobufReader(std::string_view message) : rest_(message) {}

  enum class Wire { Number = 0, Fixed64 = 1, Bytes = 2, Fixed32 = 5 };
  struct Field {
    std::uint32_t tag = 0;
    Wire wire = Wire::Number;
    std::uint64_t number = 0;  // of a number or a fixed one
    std::string_view bytes;    // of a string, bytes or a message

    bool flag() const { return number != 0; }
    std::int64_t integer() const { return static_cast<std::int64_t>(number); }
    float real() const { return std::bit_cast<float>(static_cast<std::uint32_t>(number)); }
  };
  // False at the end. ProtobufError when the message is cut off or not one.
  bool next(Field& field);

 private:
  std::uint64_t varint();
  std::string_view take(std::uint64_t size);

  std::string_view rest_;
};

}  // namespace diopter::text
