#include "host/dims.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <set>

#include <diopter/error.hpp>
#include <diopter_host/specs.hpp>

#include "base/canonical_json.hpp"
#include "base/hints.hpp"
#include "study/kind_table.hpp"

namespace diopter::host {
namespace {

bool has(const DimNames& names, Text name) { return std::find(names.begin(), names.end(), name) != names.end(); }

// The one coordinate that labels fix along a dimension.
std::optional<Key> fixed_key(const std::string& dim, const Labels& labels) {
  const auto index = [](Index value) { return value == kUnset ? std::nullopt : std::optional<Key>(value); };
  if (dim == "layer") return index(labels.layer);
  if (dim == "head") return index(labels.head);
  if (dim == "pos") return index(labels.pos);
  if (dim == "metric" && !labels.metric.empty()) return Key(std::string(labels.metric));
  return std::nullopt;
}

const Axis* axis_named(const std::string& dim, const Labels& labels) {
  for (const Axis& axis : labels.axes) {
    if (axis.name == dim) return &axis;
  }
  return nullptr;
}

DimNames walked(const DimNames& names, const Labels& labels) {
  DimNames out;
  for (const std::string& name : names) {
    if (axis_named(name, labels) || !fixed_key(name, labels)) out.push_back(name);
  }
  return out;
}

// Axes stand in the order of the value's dimensions.
bool axes_fit(const DimNames& rest, const Labels& labels) {
  auto from = rest.begin();
  for (const Axis& axis : labels.axes) {
    from = std::find(from, rest.end(), axis.name);
    if (from == rest.end()) return false;
    ++from;
  }
  return true;
}

bool fits(const DimNames& names, const at::Tensor& value, const Labels& labels) {
  if ((labels.layer != kUnset && !has(names, "layer")) || (labels.head != kUnset && !has(names, "head")) ||
      (labels.pos != kUnset && !has(names, "pos"))) {
    return false;
  }
  const DimNames rest = walked(names, labels);
  return static_cast<std::int64_t>(rest.size()) == value.dim() && axes_fit(rest, labels);
}

const Prompts& rows_of(const Labels& labels, const PieceFacts& facts) {
  return labels.prompts.size() > 0 ? labels.prompts : facts.prompts;
}

// The size a dimension must have without an axis that names its entries; nullopt: any.
std::optional<Index> expected_size(const std::string& dim, const Labels& labels, const PieceFacts& facts) {
  if (dim == "prompt") return rows_of(labels, facts).size();
  if (facts.model == nullptr) return std::nullopt;
  if (dim == "layer") return facts.model->n_layers;
  if (dim == "head") return facts.model->n_heads;
  if (dim == "kv_head") return facts.model->n_kv_heads;
  if (dim == "neuron") return facts.model->d_mlp;
  return std::nullopt;
}

bool sizes_fit(const DimNames& names, const at::Tensor& value, const Labels& labels, const PieceFacts& facts) {
  const DimNames rest = walked(names, labels);
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (axis_named(rest[i], labels)) continue;
    const auto size = expected_size(rest[i], labels, facts);
    if (size && *size != value.size(static_cast<Index>(i))) return false;
  }
  return true;
}

std::string shape_text(const at::Tensor& value) {
  std::string out = "[";
  for (Index i = 0; i < value.dim(); ++i) out += (i ? ", " : "") + std::to_string(value.size(i));
  return out + "]";
}

std::string declared_text(const std::vector<DimNames>& alternatives) {
  std::vector<std::string> out;
  for (const DimNames& names : alternatives) {
    std::string joined;
    for (const std::string& name : names) joined += (joined.empty() ? "" : " ") + name;
    out.push_back(joined.empty() ? "a single number" : "'" + joined + "'");
  }
  return base::join(out, "or");
}

std::string label_text(const Labels& labels) {
  std::vector<std::string> fixed;
  for (const char* dim : {"layer", "head", "pos", "metric"}) {
    if (const auto key = fixed_key(dim, labels)) fixed.push_back(std::string(dim) + " " + shown(*key));
  }
  for (const Axis& axis : labels.axes) fixed.push_back("axis " + std::string(axis.name));
  return fixed.empty() ? std::string() : " with " + base::join(fixed);
}

std::size_t chosen(const std::string& what, const std::vector<DimNames>& alternatives, std::size_t only,
                   const at::Tensor& value, const Labels& labels, const PieceFacts& facts) {
  std::vector<std::size_t> possible;
  for (std::size_t i = 0; i < alternatives.size(); ++i) {
    if ((only == kAny || only == i) && fits(alternatives[i], value, labels)) possible.push_back(i);
  }
  if (possible.empty()) {
    throw Error(what + " is declared as " +
                declared_text(only == kAny ? alternatives : std::vector<DimNames>{alternatives[only]}) + "; a value " +
                shape_text(value) + label_text(labels) + " does not fit");
  }
  if (possible.size() == 1) return possible.front();
  std::vector<std::size_t> matching;
  for (const std::size_t i : possible) {
    if (sizes_fit(alternatives[i], value, labels, facts)) matching.push_back(i);
  }
  if (matching.size() == 1) return matching.front();
  throw Error(what + " is declared as " + declared_text(alternatives) + "; a value " + shape_text(value) +
              label_text(labels) + " fits several of them; name its dimensions in Labels::axes");
}

PieceDim natural_dim(const std::string& name, Index size) {
  PieceDim dim{name, {}, true};
  for (Index i = 0; i < size; ++i) dim.keys.emplace_back(i);
  return dim;
}

PieceDim axis_dim(const std::string& what, const Axis& axis, Index size) {
  if (axis.indices.empty() && axis.reals.empty()) return natural_dim(std::string(axis.name), size);
  PieceDim dim{std::string(axis.name), {}, false};
  dim.keys.assign(axis.reals.begin(), axis.reals.end());
  if (!axis.indices.empty()) dim.keys.assign(axis.indices.begin(), axis.indices.end());
  if (static_cast<Index>(dim.keys.size()) != size) {
    throw Error(what + " has " + std::to_string(size) + " entries along " + dim.name + ", but its axis names " +
                std::to_string(dim.keys.size()));
  }
  return dim;
}

void check_distinct(const std::string& what, const PieceDim& dim) {
  if (dim.natural || std::set<Key>(dim.keys.begin(), dim.keys.end()).size() == dim.keys.size()) return;
  throw Error(what + " names one entry of " + dim.name + " more than once; give each once");
}

PieceDim walked_dim(const std::string& what, const std::string& name, Index size, const Labels& labels,
                    const PieceFacts& facts) {
  if (const Axis* axis = axis_named(name, labels)) return axis_dim(what, *axis, size);
  const auto expected = expected_size(name, labels, facts);
  if (expected && *expected != size) {
    throw Error(what + " has " + std::to_string(size) + " entries along " + name + " where " +
                std::to_string(*expected) + " are expected; name them in Labels (" +
                (name == "prompt" ? "prompts" : "axes") + ")");
  }
  if (name != "prompt") return natural_dim(name, size);
  PieceDim dim{name, {}, false};
  for (const auto& row : rows_of(labels, facts).data()->rows) dim.keys.emplace_back(row.index);
  return dim;
}

}  // namespace

bool is_position(std::string_view dim) { return dim == "pos" || dim == "dest" || dim == "src"; }

std::string shown(const Key& key) {
  if (const auto* index = std::get_if<std::int64_t>(&key)) return std::to_string(*index);
  if (const auto* real = std::get_if<double>(&key)) return base::shortest(*real);
  return base::quoted(std::get<std::string>(key));
}

std::vector<DimNames> alternatives_of(std::string_view dims) {
  std::vector<DimNames> out;
  for (const std::string& alternative : study::split_words(dims, '|'))
    out.push_back(study::split_words(alternative, ' '));
  if (out.empty()) out.emplace_back();
  return out;
}

Piece make_piece(const std::string& what, const std::vector<DimNames>& alternatives, std::size_t only,
                 const at::Tensor& value, const Labels& labels, const PieceFacts& facts) {
  if (!value.defined()) throw Error(what + " got an undefined tensor");
  Piece piece;
  piece.alternative = chosen(what, alternatives, only, value, labels, facts);
  piece.rows = rows_of(labels, facts);
  std::vector<Index> shape;
  Index next = 0;
  for (const std::string& name : alternatives[piece.alternative]) {
    const auto key = axis_named(name, labels) ? std::nullopt : fixed_key(name, labels);
    piece.dims.push_back(key ? PieceDim{name, {*key}, false}
                             : walked_dim(what, name, value.size(next++), labels, facts));
    check_distinct(what, piece.dims.back());
    shape.push_back(static_cast<Index>(piece.dims.back().keys.size()));
  }
  piece.value = value.detach().to(at::kCPU).reshape(shape).clone(at::MemoryFormat::Contiguous);
  return piece;
}

}  // namespace diopter::host
