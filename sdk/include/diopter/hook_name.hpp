// Hook points: named values inside the forward pass, with TransformerLens 2.x's names and shapes.
// Which exist, their order, axes and shapes follow from the ModelInfo alone; no weights are needed.
#pragma once

#include <array>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <diopter/model_info.hpp>

namespace diopter {
inline namespace abi1 {

// One entry of a model's list; valid as long as the HookTable it came from.
struct HookPoint {
  Text name;                   // "blocks.3.attn.hook_z"
  std::span<const Text> dims;  // {"batch", "pos", "head", "d_head"}
  Index layer = -1;            // -1: none
};

// Globs over hook names: '*' inside one segment, {0..5} and {a,b} expand, nothing crosses a dot.
// In a Sweep, "{layer}" stands for the cell's layer.
class DIOPTER_API HookSet {
 public:
  HookSet() = default;
  HookSet(const char* glob) : globs_{glob} {}
  HookSet(std::string glob) : globs_{std::move(glob)} {}
  HookSet(std::initializer_list<Text> globs) : globs_(globs.begin(), globs.end()) {}
  explicit HookSet(std::vector<std::string> globs) : globs_(std::move(globs)) {}
  const std::vector<std::string>& globs() const { return globs_; }
  bool empty() const { return globs_.empty(); }

 private:
  std::vector<std::string> globs_;
};

// The points in the forward's firing order inside a block; model-level ones stand at the ends.
enum class Point : std::uint8_t {
  Embed,
  PosEmbed,  // model level, before the blocks
  ResidPre,
  AttnIn,
  QInput,
  KInput,
  VInput,
  Ln1Scale,
  Ln1Normalized,  // blocks.{l}.
  Q,
  K,
  V,
  QNormScale,
  QNormNormalized,
  KNormScale,
  KNormNormalized,
  RotQ,
  RotK,
  AttnScores,
  Pattern,
  Z,
  Result,  // attn.
  Ln1PostScale,
  Ln1PostNormalized,
  AttnOut,
  ResidMid,
  MlpIn,
  Ln2Scale,
  Ln2Normalized,
  MlpPre,
  MlpPreLinear,
  MlpPost,  // mlp.
  Ln2PostScale,
  Ln2PostNormalized,
  MlpOut,
  ResidPost,
  LnFinalScale,
  LnFinalNormalized,
  UnembedIn,
  UnembedOut,  // model level, after the blocks
  Count
};

using HookId = std::int32_t;  // dense: 0 .. size-1 in firing order
inline constexpr HookId kNoHook = -1;

// A model's hook points. Immutable; copies share.
class DIOPTER_API HookTable {
 public:
  HookTable();  // empty
  explicit HookTable(const ModelInfo& info);

  std::span<const HookPoint> points() const;
  Index size() const { return static_cast<Index>(points().size()); }
  const HookPoint& operator[](HookId id) const { return points()[static_cast<std::size_t>(id)]; }
  Point point(HookId id) const;
  // kNoHook when this model has no such point. `layer` is ignored for model-level points.
  HookId id(Point point, Index layer = 0) const;
  std::optional<HookId> find(Text name) const;
  // Sizes along `dims` for a batch of `batch` rows of `pos` tokens.
  std::vector<Index> shape(HookId id, Index batch, Index pos) const;
  // All matches, in firing order, without repeats. A glob without a match is an Error with the nearest names.
  std::vector<HookId> resolve(const HookSet& globs) const;
  // {layer} replaced by each layer of the model (or by `layer`): for tables and sweeps.
  std::vector<HookId> resolve(const HookSet& globs, Index layer) const;

 private:
  struct Data;
  std::shared_ptr<const Data> data_;
};

// The short name people use for a site ("resid_pre", "z", "pattern", ...) -> "blocks.{layer}.hook_resid_pre"; Error
// with the nearest name when there is none.
DIOPTER_API std::string site_pattern(Text site);
DIOPTER_API std::vector<std::string> site_names();

}  // namespace abi1
}  // namespace diopter
