// [execution]: how a study is run. Never part of a fingerprint.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/canonical_json.hpp"
#include "study/node.hpp"
#include "study/problems.hpp"

namespace diopter::study {

enum class OnError { Continue, Stop };

struct Execution {
  std::int64_t jobs = 1;
  std::optional<std::int64_t> threads;        // per worker; default: cores / jobs
  std::optional<std::int64_t> memory_budget;  // bytes; default: 60 % of what is free
  std::int64_t verify = 0;
  bool strict = false;
  OnError on_error = OnError::Continue;
  std::int64_t retries = 0;
  std::optional<double> timeout;  // seconds, per item
};

Execution read_execution(const Node& table, Problems& problems);
base::Json to_json(const Execution& execution);

// "8GB", "512 MiB", "1.5GB" -> bytes (kB MB GB TB are powers of 1000, KiB MiB GiB TiB of 1024; a unit is required).
std::optional<std::int64_t> parse_size(std::string_view text);
// "2h", "90s", "1h30m", "2d" -> seconds.
std::optional<double> parse_duration(std::string_view text);

}  // namespace diopter::study
