#include "core/store/canonical_dump.hpp"

#include <algorithm>
#include <vector>

namespace diopter::testing {
namespace {

using store::Connection;

// Empty: the column says nothing about the content.
std::string cell_of(std::string_view table, const std::string& column) {
  if (column == "run_seq") return "(SELECT id FROM run WHERE seq = t.run_seq)";
  if (column == "artifact_id") return "(SELECT path FROM artifact WHERE id = t.artifact_id)";
  if (column == "closed_at_us") return "t.closed_at_us IS NOT NULL";
  if (column == "seq" || column == "imported_at_us" || column == "writer_n") return {};
  const bool is_rowid = column == "id" && (table == "artifact" || table == "tensor" || table == "event");
  return is_rowid ? std::string() : "t.\"" + column + '"';
}

std::vector<std::string> texts(Connection& db, const std::string& query) {
  std::vector<std::string> out;
  store::Statement at = db.prepare(query);
  while (at.step()) out.push_back(at.text(0));
  return out;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += line + '\n';
  return out;
}

}  // namespace

std::string dump_table(store::Store& store, std::string_view table) {
  Connection& db = store.connection();
  const std::string name(table);
  std::string line = "'" + name + "'";
  if (table == "run_fts") line += " || '|' || quote((SELECT id FROM run WHERE seq = t.rowid))";
  for (const std::string& column : texts(db, "SELECT name FROM pragma_table_info('" + name + "')")) {
    const std::string cell = cell_of(table, column);
    if (!cell.empty()) line += " || '|" + column + "=' || quote(" + cell + ")";
  }
  return joined(texts(db, "SELECT " + line + " FROM \"" + name + "\" AS t ORDER BY 1"));
}

std::string canonical_dump(store::Store& store) {
  std::string out;
  for (const std::string& table :
       texts(store.connection(),
             "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name "
             "NOT LIKE 'run\\_fts\\_%' ESCAPE '\\' AND name NOT IN ('migration', 'store_meta', 'imported_segment')"
             " ORDER BY 1")) {
    out += dump_table(store, table);
  }
  return out;
}

std::string first_difference(const std::string& expected, const std::string& got) {
  if (expected == got) return {};
  const auto at = static_cast<std::size_t>(
      std::mismatch(expected.begin(), expected.end(), got.begin(), got.end()).first - expected.begin());
  const std::size_t line = at == 0 ? 0 : expected.rfind('\n', at - 1) + 1;
  return "expected: " + expected.substr(line, expected.find('\n', line) - line) +
         "\ngot:      " + got.substr(line, got.find('\n', line) - line);
}

}  // namespace diopter::testing
