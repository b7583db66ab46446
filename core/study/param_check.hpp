// One value against one row of a table, in the order type, choice, range, index_of, path, prompt set. Private to the
// room.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "study/validator.hpp"

namespace diopter::study {

// Indices of these axes count within a prompt, so that -1 has no fixed value and "all" no fixed length.
inline bool depends_on_prompt(std::string_view axis) { return axis == "pos" || axis == "dest" || axis == "src"; }

class ParamCheck {
 public:
  // bare: messages speak of the value alone ("0, which is outside [1, 100]"), for sentences about defaults of tables.
  enum class Voice { Named, Bare };

  ParamCheck(const diopter_param& row, const Node& value, const ParamSurroundings& around, Problems& problems,
             Voice voice = Voice::Named)
      : row_(row), root_(value), around_(around), problems_(problems), voice_(voice) {}

  std::optional<CheckedParam> check() const;

 private:
  bool complain(const Node& at, const std::string& why) const;  // always false; `why` begins with a verb
  bool is_string(const Node& node, std::string_view expected) const;
  std::optional<std::int64_t> integer(const Node& node) const;
  std::optional<double> number(const Node& node) const;
  bool in_range(const Node& at, double value, const std::string& written) const;
  // "" where the default is "": the parameter is optional and there is none.
  bool is_absent(const Node& node) const;
  bool index(const Node& at, std::int64_t& value) const;
  bool choice(const Node& node) const;
  bool token(const Node& node) const;
  bool metric(const Node& node) const;
  std::optional<std::filesystem::path> file(const Node& node) const;
  std::optional<InputFile> input(const Node& node) const;
  std::optional<HookGlobs> hooks(const Node& node) const;

  bool scalar_value(CheckedParam& out) const;
  bool list_value(CheckedParam& out) const;
  bool all_value(CheckedParam& out) const;  // "all" with index_of
  bool integers(CheckedParam& out) const;
  bool floats(CheckedParam& out) const;
  bool strings(CheckedParam& out) const;
  bool inputs(CheckedParam& out) const;

  const diopter_param& row_;
  const Node& root_;
  const ParamSurroundings& around_;
  Problems& problems_;
  Voice voice_;
};

}  // namespace diopter::study
