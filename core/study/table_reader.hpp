// Reads one table of the manifest key by key, with a sentence for each thing that is not as it must be. Private to the
// room.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "study/node.hpp"
#include "study/problems.hpp"

namespace diopter::study {

class TableReader {
 public:
  // `name` is what messages call the table: "[execution]". Both must outlive the reader.
  TableReader(const Node& table, std::string name, Problems& problems);

  const Member* take(std::string_view key);  // marks the key as known; nullptr when it is not there
  void later(std::string_view key);          // known, and refused: "... is not yet in this version"
  const Member* require(std::string_view key,
                        std::string_view example);  // a problem at the header when it is not there

  std::optional<std::string> string(std::string_view key);
  std::optional<std::string> choice(std::string_view key, const std::vector<std::string>& choices);
  std::optional<std::vector<std::string>> strings(std::string_view key);
  std::optional<bool> boolean(std::string_view key);
  std::optional<double> number(std::string_view key, double min = -std::numeric_limits<double>::infinity());
  std::optional<std::int64_t> integer(std::string_view key, std::int64_t min,
                                      std::int64_t max = std::numeric_limits<std::int64_t>::max());

  // Every key not taken is a problem: nearest name, or where it belongs.
  void finish();

  const Node& table() const { return table_; }
  const std::string& name() const { return name_; }
  Problems& problems() { return problems_; }

 private:
  void wrong(const Member& member, std::string_view expected);

  const Node& table_;
  std::string name_;
  Problems& problems_;
  std::vector<std::string> known_;
};

// "" or the table that a key belongs to: home_of("jobs") == "[execution]".
std::string home_of(std::string_view key);
// " (did you mean 'retries' of [execution]?)" when a key of another table is near; else "".
std::string hint_elsewhere(std::string_view key);

// True when `node` is an array of tables or absent; else a problem "[[run]] ..., not [run]".
bool is_table_list(const Member& member, std::string_view name, Problems& problems);

}  // namespace diopter::study
