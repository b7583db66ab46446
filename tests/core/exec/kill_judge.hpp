// Compares what the dead were told to be safe with what the store holds.
#pragma once

#include <filesystem>

#include "core/exec/kill_ledger.hpp"
#include "core/exec/kill_round.hpp"

namespace diopter::testing {

// Ingests what is left, then looks: everything acknowledged is there with its values, every group is whole, no run is
// still running, the database is sound.
void judge(const std::filesystem::path& store_directory, const std::filesystem::path& batch, Ledgers& ledgers,
           std::size_t writers, KillTally& tally);

}  // namespace diopter::testing
