// Everything a store says, as text that does not depend on the order of ingest: two stores with equal content have
// equal dumps.
#pragma once

#include <string>
#include <string_view>

#include "store/write_session.hpp"

namespace diopter::testing {

// One line per row, sorted. Local keys (run.seq, rowids) are replaced by what they stand for; the time of ingest and
// the record number that carried an event are left out.
std::string dump_table(store::Store& store, std::string_view table);

// Every table except those about the store itself (migration, store_meta) and about how the content arrived
// (imported_segment).
std::string canonical_dump(store::Store& store);

// Empty when they are equal.
std::string first_difference(const std::string& expected, const std::string& got);

}  // namespace diopter::testing
