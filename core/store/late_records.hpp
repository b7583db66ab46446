// A writer that was given up while it was alive goes on with the segment whose beginning was taken as its last words.
#pragma once

#include <cstdint>

#include "store/segment_reader.hpp"
#include "store/write_session.hpp"

namespace diopter::store {

struct LateRecords {
  std::int64_t records = 0, rejected = 0;
};

// `whole` was sealed after a part of it had been taken. Its later records are fenced, with the event that says so, and
// counted, so that the segments after it have no gap before them. Nothing happens when all of it was taken, or when its
// writer is not known to be dead.
LateRecords fence_late_records(Store& store, Segment whole);

}  // namespace diopter::store
