// Batches, their plans, and when they end.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "store/plan_file.hpp"
#include "store/write_session.hpp"

namespace diopter::store {

// Batch, manifest, plugins, inputs and items of a plan; what is there already stays. Inside a transaction.
void add_plan(Connection& db, const ReadPlan& plan);
bool has_batch(Connection& db, const std::string& batch_id);

enum class Skip { Cancelled, NeedsFailed, Stopped };
// Items that were never started, and why. Those with a run or a result stay as they are. Its own transaction.
void skip_items(Store& store, const std::string& batch_id, const std::vector<std::int64_t>& items, Skip why);

// No item is queued or running, and every writer has ended.
bool batch_is_done(Connection& db, const std::string& batch_id);
// Closes such a batch. True when it is closed (now or before). Inside a transaction.
bool close_batch_if_done(Connection& db, const std::string& batch_id, std::int64_t now_us);

}  // namespace diopter::store
