#include "weights/llama2c_file.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <vector>

#include "base/error.hpp"

namespace diopter::weights {
namespace {

using Size = std::int64_t;

constexpr std::string_view kMagic = "24ka";  // 0x616b3432, little-endian
constexpr std::uint64_t kVersion1Header = 256, kVersion0Header = 28;

[[noreturn]] void refuse_llama2c(const std::string& file, const std::string& defect, const std::string& help = {}) {
  throw base::UserError(base::Exit::Refused, fmt::format("{} is not a llama2.c file diopter reads: {}", file, defect),
                        help.empty() ? "fetch or export the file again" : help, "weights.llama2c");
}

Size int32_at(std::string_view bytes, std::size_t at) {
  std::int32_t value = 0;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

struct Llama2cSizes {
  Size dim = 0, hidden = 0, layers = 0, heads = 0, kv_heads = 0, vocabulary = 0, positions = 0;
  bool tied = true;
  Size head() const { return dim / heads; }
};

// As they stand at `at`; not yet checked.
Llama2cSizes sizes_at(std::string_view bytes, std::size_t at) {
  return {.dim = int32_at(bytes, at),
          .hidden = int32_at(bytes, at + 4),
          .layers = int32_at(bytes, at + 8),
          .heads = int32_at(bytes, at + 12),
          .kv_heads = int32_at(bytes, at + 16),
          .vocabulary = int32_at(bytes, at + 20),
          .positions = int32_at(bytes, at + 24)};
}

std::optional<std::string> defect_of(const Llama2cSizes& s) {
  constexpr Size kLargest = 1 << 24;  // no model comes near, and bytes_of cannot overflow
  for (const Size size : {s.dim, s.hidden, s.layers, s.heads, s.kv_heads, s.vocabulary, s.positions}) {
    if (size < 1 || size > kLargest)
      return fmt::format(
          "expected sizes of 1 to {} in its header (dim, hidden_dim, n_layers, n_heads, n_kv_heads, vocab_size, "
          "seq_len), got {}",
          kLargest, size);
  }
  if (s.dim % s.heads != 0 || s.head() % 2 != 0 || s.heads % s.kv_heads != 0)
    return fmt::format(
        "expected n_heads to divide dim into even heads and n_kv_heads to divide n_heads, got {}, {} and {}", s.heads,
        s.dim, s.kv_heads);
  return std::nullopt;
}

// What stands in the file at one place for all layers, or once.
struct Part {
  std::string_view name;  // "{}": the layer
  std::vector<Size> shape;
  bool per_layer = true;
  bool rotary = false;
};

constexpr std::string_view kUnused;  // the tables of cosines and sines

std::vector<Part> parts_of(const Llama2cSizes& s, int version) {
  const Size d = s.dim, q = s.heads * s.head(), kv = s.kv_heads * s.head();
  const Part embed{"model.embed_tokens.weight", {s.vocabulary, d}, false};
  const Part norm1{"model.layers.{}.input_layernorm.weight", {d}},
      norm2{"model.layers.{}.post_attention_layernorm.weight", {d}};
  const std::vector<Part> attention{{"model.layers.{}.self_attn.q_proj.weight", {q, d}, true, true},
                                    {"model.layers.{}.self_attn.k_proj.weight", {kv, d}, true, true},
                                    {"model.layers.{}.self_attn.v_proj.weight", {kv, d}},
                                    {"model.layers.{}.self_attn.o_proj.weight", {d, q}}};
  const std::vector<Part> mlp{{"model.layers.{}.mlp.gate_proj.weight", {s.hidden, d}},
                              {"model.layers.{}.mlp.down_proj.weight", {d, s.hidden}},
                              {"model.layers.{}.mlp.up_proj.weight", {s.hidden, d}}};
  const Part last{"model.norm.weight", {d}, false};
  std::vector<Part> all;
  const auto add = [&](const std::vector<Part>& more) { all.insert(all.end(), more.begin(), more.end()); };
  if (version == 0) {
    add({embed, norm1});
    add(attention);
    add({norm2});
    add(mlp);
    add({last, {kUnused, {s.positions, s.head()}, false}});
  } else {
    add({norm1, norm2, last, embed});
    add(attention);
    add(mlp);
  }
  if (!s.tied) add({{"lm_head.weight", {s.vocabulary, d}, false}});
  return all;
}

// Bytes of one of a part.
std::uint64_t bytes_of(const Part& part) {
  std::uint64_t bytes = sizeof(float);
  for (const Size size : part.shape) bytes *= static_cast<std::uint64_t>(size);
  return bytes;
}

// 2^24 layers of 2^48 floats would overflow; no file is as large, so that the sum stops early.
std::uint64_t size_of_file(const Llama2cSizes& s, int version) {
  constexpr std::uint64_t kEnough = std::uint64_t{1} << 56;
  std::uint64_t size = version == 0 ? kVersion0Header : kVersion1Header;
  for (const Part& part : parts_of(s, version)) {
    const std::uint64_t count = part.per_layer ? static_cast<std::uint64_t>(s.layers) : 1;
    if (bytes_of(part) > kEnough / count) return kEnough;
    size += bytes_of(part) * count;
    if (size > kEnough) return kEnough;
  }
  return size;
}

Llama2cSizes version0_sizes(std::string_view bytes) {
  Llama2cSizes sizes = sizes_at(bytes, 0);
  sizes.tied = sizes.vocabulary > 0;  // a negative size says that the classifier is its own
  if (!sizes.tied) sizes.vocabulary = -sizes.vocabulary;
  return sizes;
}

// Row 2i of a head goes to i, row 2i + 1 to i + d_head / 2.
TensorView half_split(std::string_view stored, const std::vector<Size>& shape, Size head) {
  const auto copy = std::make_shared<std::vector<float>>(stored.size() / sizeof(float));
  const std::size_t row_bytes = static_cast<std::size_t>(shape[1]) * sizeof(float);
  auto* out = reinterpret_cast<char*>(copy->data());
  for (Size row = 0; row < shape[0]; ++row) {
    const Size first = row - row % head, within = row % head;
    const Size from = first + (within < head / 2 ? 2 * within : 2 * (within - head / 2) + 1);
    std::memcpy(out + static_cast<std::size_t>(row) * row_bytes,
                stored.data() + static_cast<std::size_t>(from) * row_bytes, row_bytes);
  }
  return {Dtype::F32, shape, {out, stored.size()}, copy};
}

base::Json config_of(const Llama2cSizes& s) {
  return {{"model_type", "llama"},
          {"architectures", {"LlamaForCausalLM"}},
          {"hidden_size", s.dim},
          {"intermediate_size", s.hidden},
          {"num_hidden_layers", s.layers},
          {"num_attention_heads", s.heads},
          {"num_key_value_heads", s.kv_heads},
          {"vocab_size", s.vocabulary},
          {"max_position_embeddings", s.positions},
          {"rms_norm_eps", 1e-5},
          {"rope_theta", 10000.0},
          {"hidden_act", "silu"},
          {"tie_word_embeddings", s.tied}};
}

}  // namespace

bool is_llama2c_file(std::string_view bytes) {
  if (bytes.starts_with(kMagic)) return true;
  if (bytes.size() < kVersion0Header) return false;
  return !defect_of(version0_sizes(bytes));
}

Llama2cFile read_llama2c_file(std::string_view bytes, const std::shared_ptr<const void>& owner,
                              const std::string& name) {
  const int version = bytes.starts_with(kMagic) ? 1 : 0;
  const std::uint64_t header = version == 0 ? kVersion0Header : kVersion1Header;
  if (bytes.size() < header)
    refuse_llama2c(name, fmt::format("expected a header of {} bytes, got {}", header, bytes.size()));
  if (version == 1 && int32_at(bytes, 4) != 1) {
    refuse_llama2c(name, fmt::format("expected version 0 or 1 (float32), got {}", int32_at(bytes, 4)),
                   "version 2 has rounded int8 weights; export with --version 1");
  }
  Llama2cSizes sizes = version == 0 ? version0_sizes(bytes) : sizes_at(bytes, 8);
  if (version == 1) sizes.tied = bytes[36] != 0;
  if (const auto defect = defect_of(sizes)) refuse_llama2c(name, *defect);
  if (const std::uint64_t expected = size_of_file(sizes, version); bytes.size() != expected)
    refuse_llama2c(name, fmt::format("expected {} bytes for the sizes in its header, got {}", expected, bytes.size()));

  Llama2cFile out{.tensors = {}, .config = config_of(sizes)};
  std::uint64_t at = header;
  for (const Part& part : parts_of(sizes, version)) {
    for (Size layer = 0; layer < (part.per_layer ? sizes.layers : 1); ++layer) {
      const std::string_view stored = bytes.substr(at, bytes_of(part));
      at += stored.size();
      if (part.name == kUnused) continue;
      out.tensors.emplace(fmt::format(fmt::runtime(part.name), layer),
                          part.rotary ? half_split(stored, part.shape, sizes.head())
                                      : TensorView{Dtype::F32, part.shape, stored, owner});
    }
  }
  return out;
}

}  // namespace diopter::weights
