// Prompts that a plugin makes: from token ids or numbers, with columns added.
#include <ATen/ATen.h>

#include <algorithm>

#include "base/hints.hpp"
#include "prompts_data.hpp"

namespace diopter {
inline namespace abi1 {
namespace {

using prompts::Data;

// int64 [prompt, pos], -1 pads on the right -> rows of unequal length.
std::vector<std::vector<Index>> ragged(const Tensor& ids, const char* what) {
  if (!ids.defined() || ids.scalar_type() != at::kLong || ids.dim() != 2) {
    throw Error(std::string(what) + " takes int64 [prompt, pos], padded on the right with -1");
  }
  const Tensor plain = ids.to(at::kCPU).contiguous();
  std::vector<std::vector<Index>> rows(static_cast<std::size_t>(plain.size(0)));
  const auto* from = plain.const_data_ptr<Index>();
  for (std::size_t r = 0; r < rows.size(); ++r, from += plain.size(1)) {
    const auto* end = std::find(from, from + plain.size(1), Index{-1});
    rows[r].assign(from, end);
    const bool clean_padding = std::all_of(end, from + plain.size(1), [](Index id) { return id == -1; });
    if (rows[r].empty() || !clean_padding || *std::min_element(from, end) < 0) {
      throw Error(std::string(what) + ": row " + std::to_string(r) +
                  " is not token ids followed by -1 only; every row needs at least one token");
    }
  }
  return rows;
}

Index longest(const std::vector<std::vector<Index>>& rows) {
  std::size_t length = 0;
  for (const auto& row : rows) length = std::max(length, row.size());
  return static_cast<Index>(length);
}

void number_rows(Data& data, std::size_t count) {
  data.rows.resize(count);
  for (std::size_t i = 0; i < count; ++i) data.rows[i].index = static_cast<Index>(i);
  data.set_size = static_cast<Index>(count);
}

std::vector<std::vector<std::vector<Index>>> encoded(const Data& data, const std::vector<std::string>& texts) {
  std::vector<std::vector<std::vector<Index>>> out;
  for (const auto& text : texts) out.push_back({prompts::codec_of(data).continuation(text)});
  return out;
}

// int64 [prompt], [prompt, choice] or [prompt, choice, token], padded with -1.
std::vector<std::vector<std::vector<Index>>> choices(const Tensor& ids) {
  if (ids.scalar_type() != at::kLong || ids.dim() < 1 || ids.dim() > 3) {
    throw Error("answers are int64 [prompt], [prompt, choice] or [prompt, choice, token]");
  }
  Tensor full = ids.to(at::kCPU);
  while (full.dim() < 3) full = full.unsqueeze(-1);
  const auto from = full.accessor<Index, 3>();
  std::vector<std::vector<std::vector<Index>>> out(static_cast<std::size_t>(full.size(0)));
  for (Index row = 0; row < full.size(0); ++row) {
    for (Index choice = 0; choice < full.size(1); ++choice) {
      std::vector<Index> tokens;
      for (Index t = 0; t < full.size(2) && from[row][choice][t] >= 0; ++t) tokens.push_back(from[row][choice][t]);
      if (!tokens.empty()) out[static_cast<std::size_t>(row)].push_back(std::move(tokens));
    }
  }
  return out;
}

void set_corrupted(Data& data, const Tensor& ids) {
  auto rows = ragged(ids, "column 'corrupted'");
  data.set_length = std::max(data.set_length, longest(rows));
  for (std::size_t i = 0; i < rows.size(); ++i) data.rows[i].corrupted = std::move(rows[i]);
  data.has_pairs = true;
}

// int64 [prompt, pos of clean]: the position of the corrupted text that belongs to each, negative for none.
void set_map(Data& data, const Tensor& positions) {
  if (positions.scalar_type() != at::kLong || positions.dim() != 2) throw Error("column 'map' is int64 [prompt, pos]");
  const Tensor plain = positions.to(at::kCPU).contiguous();
  const auto from = plain.accessor<Index, 2>();
  data.map.assign(data.rows.size(), {});
  for (Index row = 0; row < plain.size(0); ++row) {
    for (Index pos = 0; pos < plain.size(1); ++pos) {
      if (from[row][pos] >= 0) data.map[static_cast<std::size_t>(row)].emplace_back(pos, from[row][pos]);
    }
  }
  data.align = Data::Align::Map;
}

void set_numbers(Data& data, Text column, const Tensor& values) {
  if (column == "corrupted") {
    data.has_pairs = true;
    if (!data.values.defined()) return set_corrupted(data, values);
  }
  if (column == "map") return set_map(data, values);
  if (column == "answer" || column == "foil") {
    data.answers.insert_or_assign(std::string(column), choices(values));
  } else {
    data.numbers.insert_or_assign(std::string(column), values.detach().to(at::kCPU).clone());
  }
}

}  // namespace

Prompts Prompts::tokens(Tensor ids) {
  auto rows = ragged(ids, "Prompts::tokens");
  auto data = std::make_shared<Data>();
  number_rows(*data, rows.size());
  data->set_length = longest(rows);
  for (std::size_t i = 0; i < rows.size(); ++i) data->rows[i].tokens = std::move(rows[i]);
  return Prompts(std::shared_ptr<const Data>(std::move(data)));
}

Prompts Prompts::values(Tensor x) {
  if (!x.defined() || !x.is_floating_point() || x.dim() != 3) {
    throw Error("Prompts::values takes floating point numbers [prompt, pos, d_in], padded on the right with NaN");
  }
  auto data = std::make_shared<Data>();
  number_rows(*data, static_cast<std::size_t>(x.size(0)));
  data->set_length = x.size(1);
  data->values = x.detach().to(at::kCPU).clone();
  return Prompts(std::shared_ptr<const Data>(std::move(data)));
}

Prompts Prompts::with(Text column, std::variant<std::vector<std::string>, Tensor> values) const {
  auto data = std::make_shared<Data>(*data_);
  const auto* texts = std::get_if<std::vector<std::string>>(&values);
  const Tensor numbers = texts ? Tensor() : std::get<Tensor>(values);
  const Index count = texts                                    ? static_cast<Index>(texts->size())
                      : numbers.defined() && numbers.dim() > 0 ? numbers.size(0)
                                                               : 0;
  if (count != size()) {
    throw Error("column " + base::quoted(column) + " has " + std::to_string(count) + " values for " +
                std::to_string(size()) + " prompts");
  }
  if (!texts) {
    set_numbers(*data, column, numbers);
  } else if (column == "answer" || column == "foil") {
    data->answers.insert_or_assign(std::string(column), encoded(*data, *texts));
    data->texts.insert_or_assign(std::string(column), *texts);
  } else {
    data->texts.insert_or_assign(std::string(column), *texts);
  }
  return Prompts(std::shared_ptr<const Data>(std::move(data)));
}

}  // namespace abi1
}  // namespace diopter
