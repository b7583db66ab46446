#include "engine/train_dataset.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <diopter_host/specs.hpp>

#include "base/canonical_json.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "engine/codec.hpp"
#include "engine/dataset_tensors.hpp"

namespace diopter::engine {
namespace {

namespace fs = std::filesystem;
using base::Json;
constexpr const char* kFormat = "diopter.dataset/1";
constexpr const char* kTensors = "documents.safetensors";
constexpr const char* kDescription = "dataset.json";
constexpr const char* kTokenizer = "tokenizer.json";
constexpr const char* kByIds = "by_id.";
constexpr const char* kColumns = "column.";

using Tokens = std::vector<Index>;

// ids and offsets of one side of the rows.
void add_side(StoredTensors& out, const std::string& prefix, const std::vector<PromptsData::Row>& rows,
              Tokens PromptsData::Row::*side) {
  std::vector<std::int32_t> ids;
  Tokens offsets{0};
  for (const PromptsData::Row& row : rows) {
    for (const Index id : row.*side) ids.push_back(static_cast<std::int32_t>(id));
    offsets.push_back(static_cast<Index>(ids.size()));
  }
  out.add(prefix + "ids", at::tensor(at::ArrayRef<std::int32_t>(ids), at::kInt));
  out.add(prefix + "offsets", at::tensor(at::ArrayRef<Index>(offsets), at::kLong));
}

bool is_by_id(const PromptsData& data, const at::Tensor& column) {
  return !data.values.defined() && column.scalar_type() == at::kBool && column.dim() == 2 &&
         column.size(1) == data.set_length;
}

// bool [row, pos] <-> one for each id of the rows, one row after another.
at::Tensor positions_present(const PromptsData& data) {
  at::Tensor lengths = at::empty({static_cast<Index>(data.rows.size()), 1}, at::kLong);
  for (std::size_t r = 0; r < data.rows.size(); ++r)
    lengths.mutable_data_ptr<Index>()[r] = std::ssize(data.rows[r].tokens);
  return at::arange(data.set_length, at::kLong).unsqueeze(0).lt(lengths);
}

void read_side(const StoredTensors& in, const std::string& prefix, std::vector<PromptsData::Row>& rows,
               Tokens PromptsData::Row::*side) {
  const at::Tensor ids = in.get(prefix + "ids", at::kInt, 1), offsets = in.get(prefix + "offsets", at::kLong, 1);
  const auto* at = offsets.const_data_ptr<Index>();
  const Index count = offsets.numel() - 1;
  if (count < 0 || at[0] != 0 || at[count] != ids.numel() || (offsets.diff() < 0).any().item<bool>())
    in.fail(prefix + "offsets do not fit the ids");
  if (!rows.empty() && std::ssize(rows) != count) in.fail(prefix + "offsets do not fit the number of rows");
  rows.resize(static_cast<std::size_t>(count));
  const auto* from = ids.const_data_ptr<std::int32_t>();
  for (Index r = 0; r < count; ++r) (rows[static_cast<std::size_t>(r)].*side).assign(from + at[r], from + at[r + 1]);
}

void read_rows(const StoredTensors& in, bool has_pairs, PromptsData& data) {
  if (in.has("values")) {
    data.values = in.get("values").clone();
    if (data.values.dim() != 3 || !data.values.is_floating_point()) in.fail("values are not numbers [row, pos, d_in]");
    data.rows.resize(static_cast<std::size_t>(data.values.size(0)));
    data.set_length = data.values.size(1);
  } else {
    read_side(in, "", data.rows, &PromptsData::Row::tokens);
    if (has_pairs) read_side(in, "corrupted.", data.rows, &PromptsData::Row::corrupted);
  }
  data.has_pairs = has_pairs;
  data.set_size = std::ssize(data.rows);
  for (std::size_t r = 0; r < data.rows.size(); ++r) {
    data.rows[r].index = static_cast<Index>(r);
    data.set_length = std::max({data.set_length, std::ssize(data.rows[r].tokens), std::ssize(data.rows[r].corrupted)});
  }
}

void read_columns(const StoredTensors& in, PromptsData& data) {
  for (const std::string& name : in.names()) {
    if (name.starts_with(kColumns)) {
      const at::Tensor column = in.get(name).clone();
      if (column.dim() < 1 || column.size(0) != data.set_size) in.fail(name + " does not have a value for every row");
      data.numbers[name.substr(std::string(kColumns).size())] = column;
    } else if (name.starts_with(kByIds)) {
      const at::Tensor present = positions_present(data), flat = in.get(name, at::kBool, 1);
      if (present.sum().item<Index>() != flat.numel()) in.fail(name + " does not have a value for every id");
      data.numbers[name.substr(std::string(kByIds).size())] = at::zeros_like(present).masked_scatter_(present, flat);
    }
  }
}

Json description(const PromptsData& data) {
  return {{"format", kFormat},
          {"rows", data.rows.size()},
          {"name", data.name},
          {"pairs", data.has_pairs},
          {"align", static_cast<int>(data.align)},
          {"map", data.map},
          {"texts", data.texts},
          {"answers", data.answers}};
}

}  // namespace

void save_dataset(const Prompts& rows, const Path& tokenizer, const Path& folder) {
  const PromptsData& data = *rows.data();
  StoredTensors tensors;
  if (data.values.defined()) {
    tensors.add("values", data.values);
  } else {
    add_side(tensors, "", data.rows, &PromptsData::Row::tokens);
    if (data.has_pairs) add_side(tensors, "corrupted.", data.rows, &PromptsData::Row::corrupted);
  }
  for (const auto& [name, column] : data.numbers) {
    const bool by_id = is_by_id(data, column);
    tensors.add((by_id ? kByIds : kColumns) + name, by_id ? column.masked_select(positions_present(data)) : column);
  }
  base::make_directories(folder);
  tensors.write(folder / kTensors);
  if (!tokenizer.empty()) base::write_file_atomically(folder / kTokenizer, base::read_file(tokenizer));
  base::write_file_atomically(folder / kDescription, base::plain_json(description(data), 1) + "\n");
}

Prompts load_dataset(const Path& folder) {
  const StoredTensors tensors(folder / kTensors);
  auto data = std::make_shared<PromptsData>();
  try {
    const Json about = Json::parse(base::read_file(folder / kDescription));
    if (about.at("format") != kFormat)
      tensors.fail(fmt::format("format is {}, expected {}", about.at("format").dump(), kFormat));
    read_rows(tensors, about.at("pairs"), *data);
    read_columns(tensors, *data);
    data->name = about.at("name");
    const int align = about.at("align");
    if (align < 0 || align > static_cast<int>(PromptsData::Align::Map)) tensors.fail("align is unknown");
    data->align = static_cast<PromptsData::Align>(align);
    about.at("map").get_to(data->map);
    for (const auto& [name, column] : about.at("texts").items()) column.get_to(data->texts[name]);
    for (const auto& [name, column] : about.at("answers").items()) column.get_to(data->answers[name]);
  } catch (const Json::exception& error) {
    tensors.fail(fmt::format("{} is damaged: {}", kDescription, error.what()));
  }
  const auto complete = [&](const auto& columns) {
    for (const auto& [name, column] : columns) {
      if (column.size() != data->rows.size())
        tensors.fail(fmt::format("column {} does not have a value for every row", name));
    }
  };
  complete(data->texts);
  complete(data->answers);
  if (fs::exists(folder / kTokenizer)) {
    data->tokenizer_file = folder / kTokenizer;
    data->codec = std::make_shared<Codec>(text::Tokenizer::load(data->tokenizer_file));
  }
  return Prompts(std::shared_ptr<const PromptsData>(std::move(data)));
}

}  // namespace diopter::engine
