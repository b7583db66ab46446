// Rows of data in the forms a person or a program wants them.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/canonical_json.hpp"

namespace diopter::cli {

struct Column {
  std::string name;     // key in JSON, heading elsewhere
  std::string heading;  // on a terminal; "" means name
  bool numeric = false;
  bool whole = false;  // never cut: ids
};

// Cells are null, boolean, number or text; documents only in JSON.
struct Rows {
  std::vector<Column> columns;
  std::vector<std::vector<base::Json>> cells;
};

// On a terminal: aligned, headings, columns cut with "…" until a line fits `width`; empty columns left out; numbers
// with four digits; control characters made visible.
std::string aligned_table(const Rows& rows, bool header, std::size_t width);
std::string tsv(const Rows& rows, bool header);  // never cut; tab, newline, backslash as \t \n \\ .
std::string csv(const Rows& rows, bool header);  // RFC 4180
std::string markdown(const Rows& rows, bool header);
base::Json json_rows(const Rows& rows);  // [{column: cell}]

std::string cell_text(const base::Json& cell);  // numbers in shortest round-trip form
std::string short_number(double value);         // four significant digits

}  // namespace diopter::cli
