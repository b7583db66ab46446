// A table put together from columns (tensors in the table's dims) or from rows.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include <diopter/log.hpp>
#include <diopter_host/specs.hpp>

#include "diopter/abi.h"
#include "host/assembled_tensor.hpp"
#include "host/record_sink.hpp"

namespace diopter::host {

class LoggedTable {
 public:
  using Cell = std::variant<Index, double, std::string>;

  LoggedTable(std::string what, const diopter_output& row);  // "table 'top' of kind 'lens'"

  void add(const std::vector<Column>& columns, const Labels& labels, const PieceFacts& facts);
  void add_row(std::vector<Cell> cells);  // in the order of the declared columns
  // The numeric columns as tensors "name.column", then the document. Error for missing columns or cells.
  void emit(RecordSink& sink) const;

  std::vector<std::string> column_names() const;

 private:
  struct Declared {
    std::string name, type;  // type: int float text token
  };
  void emit_columns(RecordSink& sink, base::Json& doc) const;
  void emit_rows(RecordSink& sink, base::Json& doc) const;
  base::Json numbers_doc(const Declared& column, const at::Tensor& value) const;

  std::string what_, name_;
  std::vector<DimNames> dims_;
  std::vector<Declared> declared_;
  std::map<std::string, AssembledTensor> columns_;
  std::vector<std::vector<Cell>> rows_;
  std::shared_ptr<const TokenCodec> codec_;
};

}  // namespace diopter::host
