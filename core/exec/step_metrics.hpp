// The metrics of one step, gathered until the first metric of another step closes it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace diopter::exec {

// One thread at a time.
class StepMetrics {
 public:
  // The members of the record that this value closes, or "" when it belongs to the step already open. UserError(Failed)
  // when (name, step) has a value already, or when the name is not UTF-8; then nothing changed.
  std::string add(std::string_view name, double value, std::int64_t step, std::optional<double> stderr_value);
  std::string take();  // what is open, "" when nothing is

 private:
  struct Name {
    std::string key;                  // the name as JSON, with its colon
    std::vector<std::int64_t> steps;  // sorted: those that have a value
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  Name& name(std::string_view text);

  std::unordered_map<std::string, Name, Hash, std::equal_to<>> names_;
  std::int64_t step_ = 0;
  std::string open_;  // `"step":3,"m":{"loss":0.5`
};

}  // namespace diopter::exec
