// How much of a sweep must be computed, from tokens, positions, windows and the kind of block alone: nothing here
// knows how the engine does it. A product of m x k by k x n counts 2 m k n; norms, activations and sums count nothing.
//
// 1. Only what changed, only what is needed. A position's stream is that of the base run, that of the donor's run
// (where
//    every number it comes from is the donor's), or a new one. Needed runs backward from what is read: in the last
//    layer queries at what is read alone, before it whatever those see. Keys, values and queries of streams of base or
//    donor are at hand, and so is the MLP of a parallel block, which reads resid_pre.
// 2. Equal tokens and causality say where base and donor hold equal streams: a change there is none.
// 3. A change inside a block enters where it stands: of q, k, v, scores and pattern only the heads that read it are
//    attended again, of z and result a head's own rows of W_O; neurons pass their own rows of W_out.
// 4. The metric's answers take their columns of the unembedding where it is read, metrics of whole distributions all.
// Whatever is attended again is attended in full: 2 x d_head for scores and 2 x d_head for sums over values, per head,
// query and key that the query may see.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include <diopter/hook_name.hpp>

namespace diopter::engine::testing {

// One prompt. No donor: the change puts values that are no run's.
struct SweptRow {
  std::vector<Index> into, donor = {};  // tokens, position by position
  std::vector<Index> read = {};         // positions
  Index columns = 0;                    // of the unembedding, for each position read: the answers', or the vocabulary's
};

// What one cell changes; the lists as in Where, not negative.
struct SweptCell {
  Point point;
  Index layer = 0;
  std::vector<Index> positions = {};  // destinations of scores and patterns; empty: all
  std::vector<Index> heads = {};      // of queries, or of keys and values, as the point has them; empty: all
  std::vector<Index> sources = {};    // of scores and patterns; empty: all
  Index neurons = 0;                  // how many of them; 0: all
};

class NecessaryOperations {
 public:
  NecessaryOperations(ModelInfo info, SweptRow row)
      : info_(std::move(info)), row_(std::move(row)), length_(static_cast<Index>(row_.into.size())) {
    const auto layers = static_cast<std::size_t>(info_.n_layers);
    needed_.assign(layers + 1, Marks(row_.into.size(), false));
    keys_.assign(layers, Marks(row_.into.size(), false));
    for (const Index pos : row_.read) mark(needed_[layers], pos);
    for (std::size_t layer = layers; layer-- > 0;) {
      for (Index query = 0; query < length_; ++query) {
        if (!is(needed_[layer + 1], query)) continue;
        for (Index key = first_seen(static_cast<Index>(layer), query); key <= query; ++key) mark(keys_[layer], key);
      }
      for (Index pos = 0; pos < length_; ++pos) {
        if (is(keys_[layer], pos) || is(needed_[layer + 1], pos)) mark(needed_[layer], pos);
      }
    }
    equal_.assign(layers + 1, Marks(row_.into.size(), false));
    if (row_.donor.empty()) return;
    for (Index pos = 0; pos < length_; ++pos) {
      const auto at = static_cast<std::size_t>(pos);
      if (at < row_.donor.size() && row_.into[at] == row_.donor[at]) mark(equal_[0], pos);
    }
    for (Index layer = 0; layer < info_.n_layers; ++layer) {
      for (Index query = 0; query < length_; ++query) {
        bool all = true;
        for (Index key = first_seen(layer, query); key <= query; ++key) all = all && equal(layer, key);
        if (all) mark(equal_[static_cast<std::size_t>(layer) + 1], query);
      }
    }
  }

  // Of one cell, without base and donor run.
  double operator()(const SweptCell& cell) const {
    Stream stream = untouched(cell.layer);
    double work = 0;
    Index layer = cell.layer;
    if (is_stream_before(cell.point)) {
      bool changed = false;
      for (const Index pos : places(cell)) {
        if (!is(needed_[static_cast<std::size_t>(layer)], pos) || equal(layer, pos)) continue;
        stream[static_cast<std::size_t>(pos)] = from_donor() ? kDonor : kNew;
        changed = true;
      }
      if (!changed) return 0;
    } else {
      Stream next = untouched(layer + 1);
      work += enter(cell, next);
      stream = std::move(next);
      ++layer;
    }
    for (; layer < info_.n_layers; ++layer) stream = block(layer, stream, work);
    return work + unembedded(stream);
  }

  // A run of its own of these tokens, as far as it is needed; `shared`: positions below hold another run's streams.
  double run(Index shared = 0) const {
    Stream stream(row_.into.size(), kNew);
    for (Index pos = 0; pos < shared; ++pos) stream[static_cast<std::size_t>(pos)] = kBase;
    double work = 0;
    for (Index layer = 0; layer < info_.n_layers; ++layer) stream = block(layer, stream, work);
    return work + unembedded(stream);
  }

 private:
  using Marks = std::vector<bool>;
  static constexpr std::uint8_t kNew = 0, kBase = 1, kDonor = 2;
  using Stream = std::vector<std::uint8_t>;  // [pos] kNew, or which runs hold it

  static void mark(Marks& marks, Index pos) { marks[static_cast<std::size_t>(pos)] = true; }
  static bool is(const Marks& marks, Index pos) { return marks[static_cast<std::size_t>(pos)]; }
  static bool is_stream_before(Point point) { return point == Point::Embed || point == Point::ResidPre; }
  bool from_donor() const { return !row_.donor.empty(); }
  bool equal(Index layer, Index pos) const { return is(equal_[static_cast<std::size_t>(layer)], pos); }
  bool leaves(Index layer, Index pos) const { return is(needed_[static_cast<std::size_t>(layer) + 1], pos); }
  bool is_key(Index layer, Index pos) const { return is(keys_[static_cast<std::size_t>(layer)], pos); }

  Index first_seen(Index layer, Index query) const {
    const Index window = info_.window(layer);
    return window > 0 ? std::max<Index>(0, query - window + 1) : 0;
  }
  Index seen(Index layer, Index query) const { return query - first_seen(layer, query) + 1; }

  Stream untouched(Index layer) const {
    Stream stream(row_.into.size(), kBase);
    for (Index pos = 0; pos < length_; ++pos) {
      if (equal(layer, pos)) stream[static_cast<std::size_t>(pos)] |= kDonor;
    }
    return stream;
  }

  std::vector<Index> places(const SweptCell& cell) const {
    std::vector<Index> all;
    for (Index pos = 0; pos < length_; ++pos) {
      if (cell.positions.empty() ||
          std::find(cell.positions.begin(), cell.positions.end(), pos) != cell.positions.end())
        all.push_back(pos);
    }
    return all;
  }

  // ---- of one position

  double product(Index in, Index out) const { return 2. * static_cast<double>(in) * static_cast<double>(out); }
  double to_queries(Index heads) const { return product(info_.d_model, heads * info_.d_head); }
  double to_keys(Index kv_heads) const { return product(info_.d_model, kv_heads * info_.d_head); }  // or to values
  double out_of(Index heads) const { return product(heads * info_.d_head, info_.d_model); }
  double mlp() const {
    if (info_.attention_only) return 0;
    return (info_.gated_mlp ? 3 : 2) * product(info_.d_model, info_.d_mlp);
  }
  double mlp_after_attention() const { return info_.parallel_block ? 0 : mlp(); }
  double scores(Index heads, Index keys) const { return product(heads * info_.d_head, keys); }  // or sums over values
  double attention(Index layer, Index query, Index heads) const { return 2 * scores(heads, seen(layer, query)); }

  // What base and donor predict is at hand.
  double unembedded(const Stream& last) const {
    double work = 0;
    for (const Index pos : row_.read) {
      if (last[static_cast<std::size_t>(pos)] == kNew) work += product(info_.d_model, row_.columns);
    }
    return work;
  }

  Stream block(Index layer, const Stream& in, double& work) const {
    Stream out = untouched(layer + 1);
    for (Index query = 0; query < length_; ++query) {
      const auto own = static_cast<std::size_t>(query);
      if (is_key(layer, query) && in[own] == kNew) work += 2 * to_keys(info_.n_kv_heads);
      if (!leaves(layer, query)) continue;
      std::uint8_t held = in[own];
      for (Index key = first_seen(layer, query); key < query; ++key) held &= in[static_cast<std::size_t>(key)];
      out[own] = held;
      if (held != kNew) continue;
      if (in[own] == kNew) work += to_queries(info_.n_heads);
      work += attention(layer, query, info_.n_heads) + out_of(info_.n_heads);
      if (!info_.parallel_block || in[own] == kNew) work += mlp();
    }
    return out;
  }

  // ---- where a change enters its block; `next`: the stream after it

  double enter(const SweptCell& cell, Stream& next) const {
    switch (cell.point) {
      case Point::AttnIn:
      case Point::QInput:
      case Point::KInput:
      case Point::VInput:
      case Point::Ln1Scale:
      case Point::Ln1Normalized:
      case Point::Q:
      case Point::K:
      case Point::V:
      case Point::QNormScale:
      case Point::QNormNormalized:
      case Point::KNormScale:
      case Point::KNormNormalized:
      case Point::RotQ:
      case Point::RotK: return before_attention(cell, next);
      default: return after_attention(cell, next);
    }
  }

  struct Reach {
    bool q, k, v, projected;  // projected: the value stands before the product with W_Q, W_K, W_V
  };
  static Reach reach(Point point) {
    switch (point) {
      case Point::AttnIn:
      case Point::Ln1Scale:
      case Point::Ln1Normalized: return {true, true, true, true};
      case Point::QInput: return {true, false, false, true};
      case Point::KInput: return {false, true, false, true};
      case Point::VInput: return {false, false, true, true};
      case Point::Q:
      case Point::QNormScale:
      case Point::QNormNormalized:
      case Point::RotQ: return {true, false, false, false};
      case Point::V: return {false, false, true, false};
      default: return {false, true, false, false};
    }
  }

  double before_attention(const SweptCell& cell, Stream& next) const {
    const auto [q, k, v, projected] = reach(cell.point);
    const Index layer = cell.layer, groups = info_.n_heads / info_.n_kv_heads;
    const auto given = static_cast<Index>(cell.heads.size());
    const bool by_query_head = q;
    const Index heads = given == 0 ? info_.n_heads : by_query_head ? given : given * groups;
    const Index kv_heads = given == 0 ? info_.n_kv_heads : given;
    Marks as_query(row_.into.size(), false), as_key(row_.into.size(), false);
    double work = 0;
    for (const Index pos : places(cell)) {
      if (equal(layer, pos)) continue;
      if (q && leaves(layer, pos)) {
        mark(as_query, pos);
        if (projected) work += to_queries(heads);
      }
      if ((k || v) && is_key(layer, pos)) {
        mark(as_key, pos);
        if (projected) work += (k && v ? 2 : 1) * to_keys(kv_heads);
      }
    }
    for (Index query = 0; query < length_; ++query) {
      if (!leaves(layer, query)) continue;
      Index changed_keys = 0;
      for (Index key = first_seen(layer, query); key <= query; ++key) changed_keys += is(as_key, key);
      if (!is(as_query, query) && changed_keys == 0) continue;
      if (is(as_query, query)) work += attention(layer, query, heads);
      else if (k) work += scores(heads, changed_keys) + scores(heads, seen(layer, query));
      else work += scores(heads, changed_keys);  // patterns stay: a change of the sum
      work += out_of(heads) + mlp_after_attention();
      next[static_cast<std::size_t>(query)] = kNew;
    }
    return work;
  }

  double after_attention(const SweptCell& cell, Stream& next) const {
    const Index layer = cell.layer;
    const Index heads = cell.heads.empty() ? info_.n_heads : static_cast<Index>(cell.heads.size());
    double work = 0;
    for (const Index pos : places(cell)) {
      if (!leaves(layer, pos) || equal(layer + 1, pos)) continue;
      auto& stream = next[static_cast<std::size_t>(pos)];
      Index sources = 0;
      for (const Index source : cell.sources) sources += source <= pos && source >= first_seen(layer, pos);
      const bool pairs = cell.point == Point::AttnScores || cell.point == Point::Pattern;
      if (pairs && !cell.sources.empty() && sources == 0) continue;
      stream = kNew;
      switch (cell.point) {
        case Point::AttnScores: work += scores(heads, seen(layer, pos)) + out_of(heads) + mlp_after_attention(); break;
        case Point::Pattern:
          work += scores(heads, sources > 0 ? sources : seen(layer, pos)) + out_of(heads) + mlp_after_attention();
          break;
        case Point::Z:
        case Point::Result: work += out_of(heads) + mlp_after_attention(); break;
        case Point::Ln1PostScale:
        case Point::Ln1PostNormalized:
        case Point::AttnOut: work += mlp_after_attention(); break;
        case Point::ResidMid:
          if (from_donor()) stream = kDonor;
          else work += mlp();
          break;
        case Point::MlpIn:
        case Point::Ln2Scale:
        case Point::Ln2Normalized: work += mlp(); break;
        case Point::MlpPre:
        case Point::MlpPreLinear:
        case Point::MlpPost: work += product(cell.neurons > 0 ? cell.neurons : info_.d_mlp, info_.d_model); break;
        case Point::ResidPost:
          if (from_donor()) stream = kDonor;
          break;
        default: break;  // ln2_post, mlp_out: an addition
      }
    }
    return work;
  }

  ModelInfo info_;
  SweptRow row_;
  Index length_;
  std::vector<Marks> needed_, equal_;  // [layer the stream enters; the last: after all blocks][pos]
  std::vector<Marks> keys_;            // [layer][pos] some needed query sees it
};

inline double necessary_operations(const ModelInfo& info, const std::vector<SweptRow>& rows,
                                   const std::vector<SweptCell>& cells) {
  double work = 0;
  for (const SweptRow& row : rows) {
    const NecessaryOperations of(info, row);
    for (const SweptCell& cell : cells) work += of(cell);
  }
  return work;
}

}  // namespace diopter::engine::testing
