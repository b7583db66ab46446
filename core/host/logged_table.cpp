#include "host/logged_table.hpp"

#include <ATen/ATen.h>

#include <algorithm>

#include <diopter/error.hpp>
#include <diopter_host/specs.hpp>

#include "base/hints.hpp"
#include "base/utf8.hpp"
#include "study/kind_table.hpp"

namespace diopter::host {
namespace {

bool matches(const LoggedTable::Cell& cell, const std::string& type) {
  if (type == "text") return std::holds_alternative<std::string>(cell);
  if (type == "float") return !std::holds_alternative<std::string>(cell);
  return std::holds_alternative<Index>(cell);
}

double number(const LoggedTable::Cell& cell) {
  const auto* index = std::get_if<Index>(&cell);
  return index ? static_cast<double>(*index) : std::get<double>(cell);
}

}  // namespace

LoggedTable::LoggedTable(std::string what, const diopter_output& row)
    : what_(std::move(what)), name_(row.name), dims_(alternatives_of(row.dims)) {
  for (const std::string& column : study::split_words(row.columns, ' ')) {
    const std::size_t colon = column.find(':');
    declared_.push_back({column.substr(0, colon), column.substr(colon + 1)});
  }
}

std::vector<std::string> LoggedTable::column_names() const {
  std::vector<std::string> names;
  for (const Declared& column : declared_) names.push_back(column.name);
  return names;
}

void LoggedTable::add(const std::vector<Column>& columns, const Labels& labels, const PieceFacts& facts) {
  for (const Column& column : columns) {
    const auto declared =
        std::find_if(declared_.begin(), declared_.end(), [&](const Declared& d) { return d.name == column.name; });
    if (declared == declared_.end()) {
      throw Error(what_ + " has no column " + base::quoted(column.name) +
                  base::did_you_mean(column.name, column_names()));
    }
    if (declared->type == "text")
      throw Error("column " + base::quoted(column.name) + " of " + what_ + " is text; write it with row()");
    const bool integer = column.value.defined() && at::isIntegralType(column.value.scalar_type(), false);
    if (column.value.defined() && declared->type != "float" && !integer) {
      throw Error("column " + base::quoted(column.name) + " of " + what_ + " takes whole numbers; got " +
                  std::string(at::toString(column.value.scalar_type())));
    }
    const std::string what = "column " + base::quoted(column.name) + " of " + what_;
    columns_.try_emplace(declared->name, what, dims_).first->second.add(column.value, labels, facts);
  }
  const Prompts& rows = labels.prompts.size() > 0 ? labels.prompts : facts.prompts;
  if (rows.data()->codec) codec_ = rows.data()->codec;
}

void LoggedTable::add_row(std::vector<Cell> cells) {
  if (dims_.front().size() != 1)
    throw Error(what_ + " has " + std::to_string(dims_.front().size()) + " dims; row() is for tables with one");
  if (cells.size() != declared_.size()) {
    throw Error("a row of " + what_ + " has " + std::to_string(declared_.size()) + " cells; got " +
                std::to_string(cells.size()));
  }
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (!matches(cells[i], declared_[i].type)) {
      throw Error("column " + base::quoted(declared_[i].name) + " of " + what_ + " is " + declared_[i].type +
                  "; the row has another type of cell");
    }
  }
  rows_.push_back(std::move(cells));
}

base::Json LoggedTable::numbers_doc(const Declared& column, const at::Tensor& value) const {
  base::Json doc = {{"name", column.name}, {"type", column.type}, {"tensor", name_ + "." + column.name}};
  if (column.type != "token" || !codec_) return doc;
  // The exact strings beside the ids, so that a reader needs no tokenizer; "" where a row has no such position.
  const at::Tensor ids = value.to(at::kLong).flatten().contiguous();
  base::Json texts = base::Json::array();
  for (std::int64_t i = 0; i < ids.numel(); ++i) {
    const Index id = ids.const_data_ptr<std::int64_t>()[i];
    texts.push_back(id >= 0 && id < codec_->size() ? base::escape_invalid_utf8(codec_->text(id)) : std::string());
  }
  doc["values"] = std::move(texts);
  return doc;
}

void LoggedTable::emit_columns(RecordSink& sink, base::Json& doc) const {
  for (const Declared& column : declared_) {
    const auto found = columns_.find(column.name);
    if (found == columns_.end())
      throw Error("column " + base::quoted(column.name) + " of " + what_ + " was never written");
    const AssembledTensor::Whole whole = found->second.whole();
    doc["dims"] = dims_json(whole.dims);
    doc["columns"].push_back(numbers_doc(column, whole.value));
    sink.tensor(name_ + "." + column.name, whole.value, whole.dims);
  }
}

void LoggedTable::emit_rows(RecordSink& sink, base::Json& doc) const {
  Dim dim{dims_.front().front(), {}, {}, {}, {}};
  for (std::size_t i = 0; i < rows_.size(); ++i) dim.coord.push_back(static_cast<std::int64_t>(i));
  doc["dims"] = dims_json({dim});
  for (std::size_t c = 0; c < declared_.size(); ++c) {
    const Declared& column = declared_[c];
    if (column.type == "text") {
      base::Json values = base::Json::array();
      for (const auto& row : rows_) values.push_back(base::escape_invalid_utf8(std::get<std::string>(row[c])));
      doc["columns"].push_back({{"name", column.name}, {"type", "text"}, {"values", std::move(values)}});
      continue;
    }
    const bool real = column.type == "float";
    at::Tensor value = at::empty({static_cast<std::int64_t>(rows_.size())}, real ? at::kDouble : at::kLong);
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      if (real) value.mutable_data_ptr<double>()[r] = number(rows_[r][c]);
      else value.mutable_data_ptr<std::int64_t>()[r] = std::get<Index>(rows_[r][c]);
    }
    doc["columns"].push_back(numbers_doc(column, value));
    sink.tensor(name_ + "." + column.name, value, {dim});
  }
}

void LoggedTable::emit(RecordSink& sink) const {
  if (!rows_.empty() && !columns_.empty()) throw Error(what_ + " was written by columns and by rows; choose one");
  base::Json doc = {{"dims", base::Json::array()}, {"columns", base::Json::array()}};
  if (rows_.empty()) {
    emit_columns(sink, doc);
  } else {
    emit_rows(sink, doc);
  }
  sink.table(name_, doc);
}

}  // namespace diopter::host
