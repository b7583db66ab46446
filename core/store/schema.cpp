#include "store/schema.hpp"

#include "base/error.hpp"

namespace diopter::store {
namespace {

// The first statement of the file is the one pragma that cannot run inside a transaction.
std::size_t end_of_first_statement() {
  const std::size_t start = schema_sql().find("PRAGMA page_size");
  DIOPTER_CHECK(start != std::string_view::npos, "schema.sql does not start with PRAGMA page_size");
  return schema_sql().find(';', start) + 1;
}

}  // namespace

std::string page_size_pragma() { return std::string(schema_sql().substr(0, end_of_first_statement())); }
std::string creation_sql() { return std::string(schema_sql().substr(end_of_first_statement())); }

}  // namespace diopter::store
