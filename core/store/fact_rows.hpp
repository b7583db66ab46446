// Content-addressed facts: each is stored once, whoever brings it.
#pragma once

#include "store/connection.hpp"
#include "store/segment_reader.hpp"

namespace diopter::store {

// environment, source_state, plugin, input_file, output_def. BadSegment for other types.
void add_fact(Connection& db, const Record& record);

void add_plugin(Connection& db, const Json& body);
void add_input_file(Connection& db, const Json& body);

}  // namespace diopter::store
