#include "exec/safetensors_header.hpp"

#include "base/canonical_json.hpp"

namespace diopter::exec {

std::string safetensors_header(std::string_view name, std::string_view dtype, const std::vector<std::int64_t>& shape,
                               std::size_t nbytes) {
  std::string format(dtype);  // f32 -> F32, bool -> BOOL
  for (char& c : format) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  const base::Json json = {{std::string(name), {{"dtype", format}, {"shape", shape}, {"data_offsets", {0, nbytes}}}}};
  std::string text = json.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  std::string out;
  for (std::uint64_t length = text.size(), i = 0; i < 8; ++i) out += static_cast<char>((length >> (8 * i)) & 0xff);
  return out + text;
}

}  // namespace diopter::exec
