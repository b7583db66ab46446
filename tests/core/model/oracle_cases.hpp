// The models of an oracle of logits: a folder each, listed in index.json.
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/canonical_json.hpp"
#include "base/files.hpp"

namespace diopter::model::testing {

struct OracleCase {
  std::string name;
  base::Json about;  // its entry in index.json
  std::filesystem::path folder;
};

inline std::vector<OracleCase> oracle_cases(const std::filesystem::path& oracle) {
  std::vector<OracleCase> all;
  for (const base::Json& entry : base::Json::parse(base::read_file(oracle / "index.json"))) {
    const std::string name = entry.at("name");
    all.push_back({name, entry, oracle / name});
  }
  return all;
}

// Rows of real positions: [n, ...] of [batch, pos, ...], on the CPU as `ids` are.
inline at::Tensor real(const at::Tensor& x, const at::Tensor& ids) { return x.to(at::kCPU).index({ids.ge(0)}); }

}  // namespace diopter::model::testing
