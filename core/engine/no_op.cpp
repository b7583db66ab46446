#include "engine/no_op.hpp"

#include <ATen/ATen.h>

#include <algorithm>

namespace diopter::engine {
namespace {

// In the block that holds it, what changes here at a position reaches that position's stream only; K, V and all that
// stands before them reach later positions too.
bool reaches_its_position_only(Point point) {
  switch (point) {
    case Point::Embed:
    case Point::PosEmbed:
    case Point::ResidPre:
    case Point::AttnIn:
    case Point::KInput:
    case Point::VInput:
    case Point::Ln1Scale:
    case Point::Ln1Normalized:
    case Point::K:
    case Point::V:
    case Point::KNormScale:
    case Point::KNormNormalized:
    case Point::RotK: return false;
    default: return true;
  }
}

}  // namespace

NoOps::NoOps(const Sweep& sweep, const HookTable& hooks, Index n_layers, const MetricReader& reader, Donor donor)
    : hooks_(hooks),
      n_layers_(n_layers),
      reader_(reader),
      donor_(std::move(donor)),
      // Edits in base and cells may mix positions or make base and donor differ; observed values are wanted of every
      // cell.
      enabled_(sweep.edits.empty() && sweep.observe.empty()) {}

Index NoOps::in_donor(Index row, Index pos) const {
  return donor_.align.const_data_ptr<Index>()[row * donor_.align.stride(0) + pos * donor_.align.stride(1)];
}

bool NoOps::after_what_is_read(Index row, const RowPositions& dest) const {
  return dest.first(row) > reader_.last_position(row);
}

bool NoOps::away_from_what_is_read(const CellSite& cell, Index row, const RowPositions& dest) const {
  const bool last_block = std::all_of(cell.ids.begin(), cell.ids.end(), [this](HookId id) {
    const Index layer = hooks_[id].layer;
    return (layer == n_layers_ - 1 || layer < 0) && reaches_its_position_only(hooks_.point(id));
  });
  if (!last_block) return false;
  const auto& positions = dest.of[static_cast<std::size_t>(row)];
  return std::none_of(positions.begin(), positions.end(),
                      [&](Index pos) { return pos != kUnset && reader_.reads(row, pos); });
}

// Up to the last position that is changed, both runs read the same tokens, so they hold the same values there.
bool NoOps::donor_is_equal(Index row, const RowPositions& dest) const {
  const auto& positions = dest.of[static_cast<std::size_t>(row)];
  return std::all_of(positions.begin(), positions.end(), [&](Index pos) {
    return pos == kUnset || (pos < donor_.equal_prefix[static_cast<std::size_t>(row)] && stays_in_place(row, pos));
  });
}

// A source that stands elsewhere in the donor brings the entry of another key, even where both runs hold equal rows.
bool NoOps::sources_stay(Index row, const RowPositions* src) const {
  const auto stays = [&](Index pos) { return stays_in_place(row, pos) || in_donor(row, pos) == kUnset; };
  if (src != nullptr) {
    const auto& positions = src->of[static_cast<std::size_t>(row)];
    return std::all_of(positions.begin(), positions.end(), [&](Index pos) { return pos == kUnset || stays(pos); });
  }
  for (Index pos = 0; pos < donor_.align.size(1); ++pos) {
    if (!stays(pos)) return false;
  }
  return true;
}

// Attention to what follows is masked in both runs.
bool NoOps::in_the_future(Index row, const RowPositions& dest, const RowPositions& src) const {
  if (src.first(row) <= dest.last(row)) return false;
  for (const RowPositions* positions : {&dest, &src}) {
    for (const Index pos : positions->of[static_cast<std::size_t>(row)]) {
      if (pos != kUnset && !stays_in_place(row, pos)) return false;
    }
  }
  return true;
}

bool NoOps::cannot_differ(const CellSite& cell, Index row, const RowPositions& dest, const RowPositions* src) const {
  if (!enabled_ || dest.empty(row)) return false;
  if (after_what_is_read(row, dest) || away_from_what_is_read(cell, row, dest)) return true;
  if (!donor_.align.defined()) return false;
  const bool pairs =
      std::any_of(cell.ids.begin(), cell.ids.end(), [this](HookId id) { return hooks_[id].dims.back() == "src"; });
  return (donor_is_equal(row, dest) && (!pairs || sources_stay(row, src))) ||
         (src != nullptr && in_the_future(row, dest, *src));
}

}  // namespace diopter::engine
