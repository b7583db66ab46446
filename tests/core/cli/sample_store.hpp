// A small store with known contents: two patching runs of one batch, a failed one, and a run with a table and a text.
#pragma once

#include <filesystem>

namespace diopter::test {

// Made once per process in a temporary directory, removed at exit.
//   8FKQ2M1P  resid  patching    succeeded  effect [layer=3, pos=4], logit_diff -7.27, figure "map", warning [gap]
//   1C0Z77AA  resid  patching    succeeded  the same on another model: effect + 0.5
//   Q9T4RRV2  lens   logit_lens  succeeded  kl [layer=2, pos=2], table "top", text "notes", figure "grid"
//   ZZZZ0000  resid  patching    failed     out of memory
const std::filesystem::path& sample_store();

inline constexpr const char* kFirst = "01JDAM7VZS000000008FKQ2M1P";
inline constexpr const char* kSecond = "01JDAM7VZS000000001C0Z77AA";
inline constexpr const char* kLens = "01JDAM7VZS00000000Q9T4RRV2";
inline constexpr const char* kFailed = "01JDAM7VZS00000000ZZZZ0000";

}  // namespace diopter::test
