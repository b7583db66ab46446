#include <diopter/hook_name.hpp>

#include <algorithm>
#include <map>
#include <unordered_map>

#include <diopter/error.hpp>

#include "base/error.hpp"
#include "base/glob.hpp"
#include "base/hints.hpp"

namespace diopter {
inline namespace abi1 {
namespace {

enum class Level : std::uint8_t { Before, Block, After };

// What each point is called and shaped; transformer_semantics 1.2-1.5 in one table.
struct Row {
  Point point;
  Level level;
  const char* name;  // within the block for Level::Block
  std::vector<Text> dims;
  bool (*exists)(const ModelInfo&);
};

bool always(const ModelInfo&) { return true; }
bool learned(const ModelInfo& m) { return m.positions == PositionKind::Learned; }
bool rotary(const ModelInfo& m) { return m.positions == PositionKind::Rotary; }
bool equal_heads(const ModelInfo& m) { return m.n_kv_heads == m.n_heads; }
bool norms(const ModelInfo& m) { return m.norm != NormKind::None; }
bool has_mlp(const ModelInfo& m) { return !m.attention_only; }
bool mlp_norm(const ModelInfo& m) { return norms(m) && has_mlp(m); }
bool has_mid(const ModelInfo& m) { return !m.attention_only && !m.parallel_block; }
bool query_key_norm(const ModelInfo& m) { return m.query_key_norm; }
bool post_norms(const ModelInfo& m) { return m.post_norms; }
bool mlp_post_norm(const ModelInfo& m) { return m.post_norms && !m.attention_only; }
bool gated(const ModelInfo& m) { return !m.attention_only && m.gated_mlp; }

const std::vector<Row>& rows() {
  static const std::vector<Text> kStream{"batch", "pos", "d_model"}, kScale{"batch", "pos", "scale"},
      kHeadStream{"batch", "pos", "head", "d_model"}, kKvStream{"batch", "pos", "kv_head", "d_model"},
      kHead{"batch", "pos", "head", "d_head"}, kKv{"batch", "pos", "kv_head", "d_head"},
      kHeadScale{"batch", "pos", "head", "scale"}, kKvScale{"batch", "pos", "kv_head", "scale"},
      kPattern{"batch", "head", "dest", "src"}, kMlp{"batch", "pos", "neuron"}, kLogits{"batch", "pos", "d_vocab"};
  using enum Level;
  static const std::vector<Row> kRows{
      {Point::Embed, Before, "hook_embed", kStream, always},
      {Point::PosEmbed, Before, "hook_pos_embed", kStream, learned},
      {Point::ResidPre, Block, "hook_resid_pre", kStream, always},
      {Point::AttnIn, Block, "hook_attn_in", kHeadStream, equal_heads},
      {Point::QInput, Block, "hook_q_input", kHeadStream, always},
      {Point::KInput, Block, "hook_k_input", kKvStream, always},
      {Point::VInput, Block, "hook_v_input", kKvStream, always},
      {Point::Ln1Scale, Block, "ln1.hook_scale", kScale, norms},
      {Point::Ln1Normalized, Block, "ln1.hook_normalized", kStream, norms},
      {Point::Q, Block, "attn.hook_q", kHead, always},
      {Point::K, Block, "attn.hook_k", kKv, always},
      {Point::V, Block, "attn.hook_v", kKv, always},
      {Point::QNormScale, Block, "attn.q_norm.hook_scale", kHeadScale, query_key_norm},
      {Point::QNormNormalized, Block, "attn.q_norm.hook_normalized", kHead, query_key_norm},
      {Point::KNormScale, Block, "attn.k_norm.hook_scale", kKvScale, query_key_norm},
      {Point::KNormNormalized, Block, "attn.k_norm.hook_normalized", kKv, query_key_norm},
      {Point::RotQ, Block, "attn.hook_rot_q", kHead, rotary},
      {Point::RotK, Block, "attn.hook_rot_k", kKv, rotary},
      {Point::AttnScores, Block, "attn.hook_attn_scores", kPattern, always},
      {Point::Pattern, Block, "attn.hook_pattern", kPattern, always},
      {Point::Z, Block, "attn.hook_z", kHead, always},
      {Point::Result, Block, "attn.hook_result", kHeadStream, always},
      {Point::Ln1PostScale, Block, "ln1_post.hook_scale", kScale, post_norms},
      {Point::Ln1PostNormalized, Block, "ln1_post.hook_normalized", kStream, post_norms},
      {Point::AttnOut, Block, "hook_attn_out", kStream, always},
      {Point::ResidMid, Block, "hook_resid_mid", kStream, has_mid},
      {Point::MlpIn, Block, "hook_mlp_in", kStream, has_mlp},
      {Point::Ln2Scale, Block, "ln2.hook_scale", kScale, mlp_norm},
      {Point::Ln2Normalized, Block, "ln2.hook_normalized", kStream, mlp_norm},
      {Point::MlpPre, Block, "mlp.hook_pre", kMlp, has_mlp},
      {Point::MlpPreLinear, Block, "mlp.hook_pre_linear", kMlp, gated},
      {Point::MlpPost, Block, "mlp.hook_post", kMlp, has_mlp},
      {Point::Ln2PostScale, Block, "ln2_post.hook_scale", kScale, mlp_post_norm},
      {Point::Ln2PostNormalized, Block, "ln2_post.hook_normalized", kStream, mlp_post_norm},
      {Point::MlpOut, Block, "hook_mlp_out", kStream, has_mlp},
      {Point::ResidPost, Block, "hook_resid_post", kStream, always},
      {Point::LnFinalScale, After, "ln_final.hook_scale", kScale, norms},
      {Point::LnFinalNormalized, After, "ln_final.hook_normalized", kStream, norms},
      {Point::UnembedIn, After, "unembed.hook_in", kStream, always},
      {Point::UnembedOut, After, "unembed.hook_out", kLogits, always},
  };
  return kRows;
}

Index axis_size(Text dim, const ModelInfo& info, Index batch, Index pos) {
  if (dim == "batch") return batch;
  if (dim == "pos" || dim == "dest" || dim == "src") return pos;
  if (dim == "head") return info.n_heads;
  if (dim == "kv_head") return info.n_kv_heads;
  if (dim == "d_head") return info.d_head;
  if (dim == "d_model") return info.d_model;
  if (dim == "neuron") return info.d_mlp;
  if (dim == "d_vocab") return info.d_vocab;
  return 1;  // "scale"
}

// "blocks.3.attn.hook_z" and "blocks.*.attn.hook_z" -> "blocks.*.attn.hook_z": hints compare segments with numbers as
// '*'.
std::string without_numbers(std::string_view name) {
  std::string out;
  for (std::size_t start = 0;;) {
    const auto dot = name.find('.', start);
    const auto segment = name.substr(start, dot - start);
    const bool number = !segment.empty() && segment.find_first_not_of("0123456789") == std::string_view::npos;
    out += number || segment == "{layer}" ? std::string("*") : std::string(segment);
    if (dot == std::string_view::npos) return out;
    out += '.';
    start = dot + 1;
  }
}

std::string with_layer(std::string_view glob, std::string_view layer) {
  std::string out(glob);
  for (auto at = out.find("{layer}"); at != std::string::npos; at = out.find("{layer}")) out.replace(at, 7, layer);
  return out;
}

}  // namespace

struct HookTable::Data {
  ModelInfo info;
  std::vector<std::string> names;
  std::vector<HookPoint> points;
  std::vector<Point> kinds;
  std::unordered_map<std::string, HookId> by_name;
  std::array<std::vector<HookId>, static_cast<std::size_t>(Point::Count)> by_point;
};

HookTable::HookTable() : data_(std::make_shared<Data>()) {}

HookTable::HookTable(const ModelInfo& info) {
  auto data = std::make_shared<Data>();
  data->info = info;
  std::vector<const Row*> order;
  std::vector<Index> layers;
  const auto append = [&](Level level, Index layer) {
    for (const Row& row : rows()) {
      if (row.level != level || !row.exists(info)) continue;
      data->by_point[static_cast<std::size_t>(row.point)].push_back(static_cast<HookId>(data->names.size()));
      data->names.push_back(level == Level::Block ? "blocks." + std::to_string(layer) + "." + row.name : row.name);
      data->kinds.push_back(row.point);
      order.push_back(&row);
      layers.push_back(level == Level::Block ? layer : -1);
    }
  };
  append(Level::Before, -1);
  for (Index layer = 0; layer < info.n_layers; ++layer) append(Level::Block, layer);
  append(Level::After, -1);
  for (std::size_t i = 0; i < order.size(); ++i) {
    data->points.push_back({data->names[i], order[i]->dims, layers[i]});
    data->by_name.emplace(data->names[i], static_cast<HookId>(i));
  }
  data_ = std::move(data);
}

std::span<const HookPoint> HookTable::points() const { return data_->points; }
Point HookTable::point(HookId id) const { return data_->kinds[static_cast<std::size_t>(id)]; }

HookId HookTable::id(Point point, Index layer) const {
  const auto& ids = data_->by_point[static_cast<std::size_t>(point)];
  if (ids.empty()) return kNoHook;
  if (data_->points[static_cast<std::size_t>(ids.front())].layer < 0) return ids.front();
  return layer >= 0 && layer < static_cast<Index>(ids.size()) ? ids[static_cast<std::size_t>(layer)] : kNoHook;
}

std::optional<HookId> HookTable::find(Text name) const {
  const auto found = data_->by_name.find(std::string(name));
  if (found == data_->by_name.end()) return std::nullopt;
  return found->second;
}

std::vector<Index> HookTable::shape(HookId id, Index batch, Index pos) const {
  std::vector<Index> out;
  for (const Text dim : (*this)[id].dims) out.push_back(axis_size(dim, data_->info, batch, pos));
  return out;
}

std::vector<HookId> HookTable::resolve(const HookSet& globs) const {
  std::vector<bool> wanted(data_->points.size(), false);
  for (const std::string& glob : globs.globs()) {
    std::vector<std::string> patterns;
    try {
      patterns = base::expand_braces(with_layer(glob, "*"));
    } catch (const base::UserError& error) {
      throw Error(error.what());
    }
    bool all_matched = true;
    for (const std::string& pattern : patterns) {
      bool matched = false;
      for (std::size_t i = 0; i < data_->names.size(); ++i) {
        if (base::matches_glob(data_->names[i], pattern)) wanted[i] = matched = true;
      }
      all_matched = all_matched && matched;
    }
    if (!all_matched) {
      std::vector<std::string> known;
      for (const std::string& name : data_->names) known.push_back(without_numbers(name));
      std::sort(known.begin(), known.end());
      known.erase(std::unique(known.begin(), known.end()), known.end());
      const std::string& model = data_->info.name.empty() ? data_->info.family : data_->info.name;
      const std::string shape = without_numbers(glob);
      const bool exists_elsewhere = std::find(known.begin(), known.end(), shape) != known.end();
      std::string hint;
      if (exists_elsewhere) {
        hint = " (it has layers 0.." + std::to_string(data_->info.n_layers - 1) + ")";
      } else if (const auto close = base::nearest(shape, known); !close.empty()) {
        hint = base::did_you_mean(shape, known);
      }
      throw Error("hook '" + glob + "' matches no hook point of " + model + hint + "; 'diopter hooks " + model +
                  "' lists them.");
    }
  }
  std::vector<HookId> out;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i]) out.push_back(static_cast<HookId>(i));
  }
  return out;
}

std::vector<HookId> HookTable::resolve(const HookSet& globs, Index layer) const {
  std::vector<std::string> filled;
  for (const auto& glob : globs.globs()) filled.push_back(with_layer(glob, std::to_string(layer)));
  return resolve(HookSet(std::move(filled)));
}

namespace {

const std::map<std::string, std::string, std::less<>>& sites() {
  static const std::map<std::string, std::string, std::less<>> kSites = [] {
    std::map<std::string, std::string, std::less<>> out;
    for (const Row& row : rows()) {
      if (row.level != Level::Block) continue;
      const std::string name = row.name;
      const auto hook = name.rfind("hook_");
      const std::string prefix = name.substr(0, hook);  // "", "attn.", "mlp.", "ln1."
      const std::string last = name.substr(hook + 5);
      std::string site = last;
      if (prefix == "mlp.") site = "mlp_" + last;
      if (prefix.find("norm") != std::string::npos || prefix.rfind("ln", 0) == 0) {
        site = prefix.substr(0, prefix.size() - 1) + "_" + last;
        if (site.rfind("attn.", 0) == 0) site = site.substr(5);
      }
      out.emplace(site, "blocks.{layer}." + name);
    }
    return out;
  }();
  return kSites;
}

}  // namespace

std::vector<std::string> site_names() {
  std::vector<std::string> out;
  for (const auto& [site, pattern] : sites()) out.push_back(site);
  return out;
}

std::string site_pattern(Text site) {
  const auto found = sites().find(site);
  if (found == sites().end()) {
    throw Error("'" + std::string(site) + "' is not a site" + base::did_you_mean(site, site_names()) +
                "; use a short name such as 'resid_pre' or a hook name.");
  }
  return found->second;
}

}  // namespace abi1
}  // namespace diopter
