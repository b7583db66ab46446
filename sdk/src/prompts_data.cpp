#include "prompts_data.hpp"

#include <ATen/ATen.h>

#include <algorithm>

#include "base/hints.hpp"

namespace diopter {
inline namespace abi1 {
namespace prompts {

std::string set_name(const Data& data) {
  return data.name.empty() ? "the prompts" : "prompts " + base::quoted(data.name);
}

std::string row_name(const Data& data, std::size_t row) {
  return "row " + std::to_string(data.rows[row].index) + " of " + set_name(data);
}

const std::vector<Index>& tokens_of(const Data& data, std::size_t row) {
  return data.side == Data::Side::Corrupted ? data.rows[row].corrupted : data.rows[row].tokens;
}

Index length_of(const Data& data, std::size_t row) {
  if (!data.values.defined()) return static_cast<Index>(tokens_of(data, row).size());
  // The last position with a number in it; rows are padded with NaN on the right.
  const Tensor filled = data.values[static_cast<Index>(row)].isnan().logical_not().any(-1).nonzero();
  return filled.numel() == 0 ? 0 : filled.max().item<Index>() + 1;
}

std::vector<Index> all_lengths(const Data& data) {
  std::vector<Index> lengths(data.rows.size());
  for (std::size_t row = 0; row < lengths.size(); ++row) lengths[row] = length_of(data, row);
  return lengths;
}

const TokenCodec& codec_of(const Data& data) {
  if (data.codec) return *data.codec;
  throw Error(set_name(data) + " have no tokenizer, so text cannot become tokens or back");
}

std::string shown(const Data& data, const std::vector<Index>& tokens) {
  std::string out;
  for (const Index token : tokens) {
    if (!out.empty()) out += '|';
    out += data.codec ? data.codec->text(token) : std::to_string(token);
  }
  return out;
}

Prompts picked(const Data& data, const std::vector<Index>& places) {
  auto made = std::make_shared<Data>(data);
  const auto pick = [&](auto& list) {
    auto all = std::move(list);
    list.clear();
    list.reserve(places.size());
    for (const Index place : places) list.push_back(all[static_cast<std::size_t>(place)]);
  };
  pick(made->rows);
  for (auto& [name, column] : made->texts) pick(column);
  for (auto& [name, column] : made->answers) pick(column);
  if (!made->map.empty()) pick(made->map);
  const Tensor index = at::tensor(at::ArrayRef<Index>(places), at::kLong);
  for (auto& [name, column] : made->numbers) column = column.index_select(0, index);
  if (made->values.defined()) made->values = made->values.index_select(0, index);
  return Prompts(std::shared_ptr<const Data>(std::move(made)));
}

std::string nth(Index occurrence) {
  const auto ordinal = [](Index n) {
    const char* ending = n % 100 / 10 == 1 ? "th" : n % 10 == 1 ? "st" : n % 10 == 2 ? "nd" : n % 10 == 3 ? "rd" : "th";
    return std::to_string(n) + ending;
  };
  if (occurrence > 0) return ordinal(occurrence);
  return occurrence == -1 ? "last" : ordinal(-occurrence) + " last";
}

Tensor padded(const std::vector<std::vector<Index>>& rows, Index pad) {
  std::size_t longest = 0;
  for (const auto& row : rows) longest = std::max(longest, row.size());
  Tensor out = at::full({static_cast<Index>(rows.size()), static_cast<Index>(longest)}, pad, at::kLong);
  auto* to = out.mutable_data_ptr<Index>();
  for (const auto& row : rows) {
    std::copy(row.begin(), row.end(), to);
    to += longest;
  }
  return out;
}

}  // namespace prompts
}  // namespace abi1
}  // namespace diopter
