// Which part of a hook point's value: positions of each row, heads, neurons.
#pragma once

#include <initializer_list>
#include <memory>
#include <vector>

#include <diopter/base.hpp>

namespace diopter {
inline namespace abi1 {

struct PositionsSpec;  // diopter_host/specs.hpp

// Positions of each row, absolute, BOS included; default: all. A negative index counts from the end of the row's own
// prompt (-1: its last real token), so padding and cached generation change nothing.
class DIOPTER_API Positions {
 public:
  Positions();
  Positions(std::initializer_list<Index> indices);
  Positions(std::vector<Index> indices);
  static Positions per_row(Tensor indices);  // int64 [prompt] or [prompt, n]; kUnset selects nothing
  static Positions token(Text text, Index occurrence = 1, Index offset = 0);  // a row without it: Error
  static Positions last();
  static Positions prompt();  // all of the prompt, not what is generated
  static Positions generated();
  static Positions from(Index first);
  Positions operator|(const Positions& other) const;  // last() | generated()

  bool is_all() const;
  const PositionsSpec& spec() const { return *spec_; }

 private:
  explicit Positions(std::shared_ptr<const PositionsSpec> spec);
  std::shared_ptr<const PositionsSpec> spec_;
};

// A selection for which the hook has no dimension is an Error. On scores and patterns `positions` are destinations,
// `sources` the attended positions. Empty lists: all.
struct Where {
  Positions positions = {};
  std::vector<Index> heads = {}, kv_heads = {}, neurons = {};
  Positions sources = {};
};

}  // namespace abi1
}  // namespace diopter
