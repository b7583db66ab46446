#include <diopter/prompts.hpp>

#include <ATen/ATen.h>

#include <algorithm>

#include "base/hints.hpp"
#include "prompts_data.hpp"

namespace diopter {
inline namespace abi1 {
namespace {

using prompts::Data;

const std::shared_ptr<const Data>& no_rows() {
  static const auto data = std::make_shared<const Data>();
  return data;
}

template <class Map>
std::vector<std::string> keys(const Map& map) {
  std::vector<std::string> names;
  for (const auto& [name, column] : map) names.push_back(name);
  return names;
}

[[noreturn]] void no_column(const Data& data, const char* what, Text name, const std::vector<std::string>& known) {
  std::string hint = base::did_you_mean(name, known);
  throw Error(prompts::set_name(data) + " have no " + what + " " + base::quoted(name) + hint);
}

}  // namespace

Prompts::Prompts() : data_(no_rows()) {}

Index Prompts::size() const { return static_cast<Index>(data_->rows.size()); }

std::vector<std::string> Prompts::column(Text name) const {
  const auto found = data_->texts.find(name);
  if (found == data_->texts.end()) no_column(*data_, "column", name, keys(data_->texts));
  return found->second;
}

Tensor Prompts::numbers(Text column) const {
  const auto found = data_->numbers.find(column);
  if (found == data_->numbers.end()) no_column(*data_, "column of numbers", column, keys(data_->numbers));
  return found->second;
}

bool Prompts::has(Text column) const {
  if (column == "corrupted") return data_->has_pairs;
  if (column == "map") return data_->align == Data::Align::Map;
  return data_->texts.count(column) + data_->numbers.count(column) + data_->answers.count(column) > 0;
}

Tensor Prompts::rows() const {
  Tensor out = at::empty({size()}, at::kLong);
  auto* to = out.mutable_data_ptr<Index>();
  for (const Data::Row& row : data_->rows) *to++ = row.index;
  return out;
}

Tensor Prompts::inputs() const {
  if (data_->values.defined()) {
    if (data_->side == Data::Side::Corrupted) return numbers("corrupted");
    return data_->values;
  }
  std::vector<std::vector<Index>> tokens;
  tokens.reserve(data_->rows.size());
  for (std::size_t row = 0; row < data_->rows.size(); ++row) tokens.push_back(prompts::tokens_of(*data_, row));
  return prompts::padded(tokens, -1);
}

Tensor Prompts::lengths() const {
  const std::vector<Index> lengths = prompts::all_lengths(*data_);
  return at::tensor(at::ArrayRef<Index>(lengths), at::kLong);
}

Tensor Prompts::find(Text token, Index occurrence) const {
  if (occurrence == 0) throw Error("Prompts::find counts occurrences from 1, or from the end with -1; got 0");
  const Index id = single_token(prompts::codec_of(*data_), token);
  Tensor out = at::empty({size()}, at::kLong);
  auto* to = out.mutable_data_ptr<Index>();
  for (std::size_t row = 0; row < data_->rows.size(); ++row) {
    const std::vector<Index>& tokens = prompts::tokens_of(*data_, row);
    std::vector<Index> places;
    for (std::size_t p = 0; p < tokens.size(); ++p) {
      if (tokens[p] == id) places.push_back(static_cast<Index>(p));
    }
    const auto count = static_cast<Index>(places.size());
    const Index which = occurrence > 0 ? occurrence - 1 : count + occurrence;
    if (which < 0 || which >= count) {
      throw Error(prompts::row_name(*data_, row) + " has no " + prompts::nth(occurrence) + " token " +
                  base::quoted(token) + "; it reads " + prompts::shown(*data_, tokens));
    }
    *to++ = places[static_cast<std::size_t>(which)];
  }
  return out;
}

Tensor Prompts::answers(Text column) const {
  const auto found = data_->answers.find(column);
  if (found == data_->answers.end()) no_column(*data_, "answers", column, keys(data_->answers));
  Index choices = 0, tokens = 0;
  for (const auto& row : found->second) {
    choices = std::max(choices, static_cast<Index>(row.size()));
    for (const auto& choice : row) tokens = std::max(tokens, static_cast<Index>(choice.size()));
  }
  Tensor out = at::full({size(), choices, tokens}, -1, at::kLong);
  auto to = out.accessor<Index, 3>();
  for (std::size_t row = 0; row < found->second.size(); ++row) {
    for (std::size_t choice = 0; choice < found->second[row].size(); ++choice) {
      const auto& ids = found->second[row][choice];
      for (std::size_t t = 0; t < ids.size(); ++t) {
        to[static_cast<Index>(row)][static_cast<Index>(choice)][static_cast<Index>(t)] = ids[t];
      }
    }
  }
  return out;
}

}  // namespace abi1
}  // namespace diopter
