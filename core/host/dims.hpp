// Declared dimensions of outputs, and where the pieces of a value belong in them.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <diopter/model_info.hpp>
#include <diopter/sweep.hpp>

namespace diopter::host {

using DimNames = std::vector<std::string>;
std::vector<DimNames> alternatives_of(
    std::string_view dims);  // "layer pos|layer head"; "" is one alternative without dims

// A coordinate: layer 3, coefficient -2.5, metric "logit_diff".
using Key = std::variant<std::int64_t, double, std::string>;
std::string shown(const Key& key);

struct PieceDim {
  std::string name;
  std::vector<Key> keys;  // one per index
  bool natural = false;   // keys are 0, 1, 2, ...: a shorter piece of prompts may be padded along it
};

// A value in all dimensions of one alternative; those that labels fix have size 1.
struct Piece {
  std::size_t alternative = 0;
  at::Tensor value;  // CPU, owned
  std::vector<PieceDim> dims;
  Prompts rows;  // whose positions and rows these are; may be empty
};

// What is known without labels.
struct PieceFacts {
  const ModelInfo* model = nullptr;  // null: the run has no model
  Prompts prompts;                   // the run's own; empty when it has none
};

// Labels fix dimensions, name axes and choose among the alternatives; `only` (when not kAny) is the alternative that
// earlier pieces chose. Error with `what` ("tensor 'kl'") when it fits none or several.
inline constexpr std::size_t kAny = static_cast<std::size_t>(-1);
Piece make_piece(const std::string& what, const std::vector<DimNames>& alternatives, std::size_t only,
                 const at::Tensor& value, const Labels& labels, const PieceFacts& facts);

bool is_position(std::string_view dim);  // pos, dest, src

}  // namespace diopter::host
