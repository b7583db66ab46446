// What a parity test measured, for the table of docs/parity.md (tests/peers/parity_table.py prints it).
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <diopter/model_info.hpp>

#include "base/canonical_json.hpp"

namespace diopter::peers {

struct Measured {
  std::string what;       // logits, stream, pattern; hooks, edits: values of hook points, logits after edits of them
  double difference = 0;  // the largest
  double gate = 0;        // what the test allows
  double scale = 0;       // the largest value compared; 0: not given
};

// Appends a line to <build>/parity/NAME.jsonl, which the first call of a process empties.
inline void record_parity(const std::string& name, const std::string& model, const ModelInfo& info,
                          const Measured& measured) {
  const char* build = std::getenv("DIOPTER_BUILD_DIR");
  if (build == nullptr) return;  // run by hand, without ctest
  const std::filesystem::path folder = std::filesystem::path(build) / "parity";
  std::filesystem::create_directories(folder);
  static std::string begun;
  std::ofstream file(folder / (name + ".jsonl"), begun == name ? std::ios::app : std::ios::trunc);
  begun = name;
  file << base::plain_json({{"family", info.family},
                            {"model", model},
                            {"n_layers", info.n_layers},
                            {"n_heads", info.n_heads},
                            {"n_kv_heads", info.n_kv_heads},
                            {"d_model", info.d_model},
                            {"what", measured.what},
                            {"difference", measured.difference},
                            {"gate", measured.gate},
                            {"scale", measured.scale}})
       << "\n";
}

}  // namespace diopter::peers
