#include "study/param_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.hpp"
#include "base/glob.hpp"
#include "base/hints.hpp"
#include "study/kind_table.hpp"
#include "study/metrics_block.hpp"
#include "study/prompt_sets.hpp"

namespace diopter::study {
namespace {

std::string plural(std::string_view axis) { return axis == "pos" ? "positions" : std::string(axis) + "s"; }

std::string bounds(double min, double max) {
  const auto show = [](double v) {
    return v == std::floor(v) && std::abs(v) < 1e15 ? fmt::format("{:.0f}", v) : base::shortest(v);
  };
  if (std::isinf(min)) return "is above " + show(max);
  if (std::isinf(max)) return "is below " + show(min);
  return fmt::format("is outside [{}, {}]", show(min), show(max));
}

}  // namespace

bool ParamCheck::complain(const Node& at, const std::string& why) const {
  const Node* first = root_.items.data();
  const bool item = root_.is(Node::Type::Array) && &at >= first && &at < first + root_.items.size();
  const std::string number = item ? std::to_string(&at - first + 1) : "";
  std::string message;
  if (voice_ == Voice::Bare) {
    message = item ? fmt::format("{}, whose item {} {}", brief(root_), number, why)
                   : fmt::format("{}, which {}", brief(at), why);
  } else {
    message = item ? fmt::format("item {} of '{}' is {}, which {}", number, row_.name, brief(at), why)
                   : fmt::format("'{}' is {}, which {}", row_.name, brief(at), why);
  }
  problems_.error(at.span, message);
  return false;
}

bool ParamCheck::is_string(const Node& node, std::string_view expected) const {
  return node.is(Node::Type::String) || complain(node, fmt::format("is {}, not {}", type_name(node), expected));
}

std::optional<std::int64_t> ParamCheck::integer(const Node& node) const {
  if (!node.is(Node::Type::Integer)) {
    complain(node, fmt::format("is {}, not a whole number", type_name(node)));
    return std::nullopt;
  }
  std::int64_t value = node.integer;
  if (!in_range(node, static_cast<double>(value), {}) || !index(node, value)) return std::nullopt;
  return value;
}

std::optional<double> ParamCheck::number(const Node& node) const {
  if (!node.is_number()) {
    complain(node, fmt::format("is {}, not a number", type_name(node)));
    return std::nullopt;
  }
  if (!std::isfinite(node.number)) {
    complain(node, "is not a finite number");
    return std::nullopt;
  }
  if (!in_range(node, node.number, {})) return std::nullopt;
  return node.number;
}

bool ParamCheck::in_range(const Node& at, double value, const std::string& written) const {
  if (value >= row_.min && value <= row_.max) return true;
  return complain(at, (written.empty() ? "" : "has " + written + ", which ") + bounds(row_.min, row_.max));
}

bool ParamCheck::index(const Node& at, std::int64_t& value) const {
  const std::string axis = row_.index_of;
  if (axis.empty() || !around_.sizes) return true;
  const auto size = around_.sizes->axes.find(axis);
  if (size == around_.sizes->axes.end()) return true;
  if (value < -size->second || value >= size->second) {
    problems_.error(at.span, fmt::format("{} {} is out of range: {} has {} 0..{}", axis, value, around_.sizes->name,
                                         plural(axis), size->second - 1));
    return false;
  }
  if (value < 0 && !depends_on_prompt(axis)) value += size->second;
  return true;
}

bool ParamCheck::choice(const Node& node) const {
  if (!is_string(node, "a string")) return false;
  const auto choices = split_words(row_.choices, '|');
  if (std::find(choices.begin(), choices.end(), node.text) != choices.end()) return true;
  return complain(node, "is not one of its choices" + base::did_you_mean(node.text, choices));
}

bool ParamCheck::token(const Node& node) const {
  if (!is_string(node, "a string of one token")) return false;
  return !node.text.empty() || complain(node, "is empty, so it is no token");
}

bool ParamCheck::metric(const Node& node) const {
  if (!is_string(node, "the name of a metric")) return false;
  const auto& names = metric_names();
  if (std::find(names.begin(), names.end(), node.text) == names.end()) {
    return complain(node, "is not a metric" + base::did_you_mean(node.text, names));
  }
  const auto same = [&](const Node& other) {
    return &other < &node && other.is(Node::Type::String) && other.text == node.text;
  };
  if (std::any_of(root_.items.begin(), root_.items.end(), same)) return complain(node, "is there twice");
  return true;
}

bool ParamCheck::is_absent(const Node& node) const {
  return node.text.empty() && row_.fallback != nullptr && std::string_view(row_.fallback) == "\"\"";
}

std::optional<std::filesystem::path> ParamCheck::file(const Node& node) const {
  if (!is_string(node, "the name of a file")) return std::nullopt;
  if (is_absent(node)) return std::filesystem::path();
  if (node.text.empty() || node.text.find('\0') != std::string::npos) {
    complain(node, "is not the name of a file");
    return std::nullopt;
  }
  auto path = resolve_path(node, around_.folder);
  std::error_code ignored;
  if (around_.check_files && !std::filesystem::exists(path, ignored)) {
    complain(node, fmt::format("does not exist; looked for {}", path.string()));
    return std::nullopt;
  }
  return path;
}

std::optional<InputFile> ParamCheck::input(const Node& node) const {
  if (!is_string(node, "the name of a file")) return std::nullopt;
  if (node.text.starts_with('@') && around_.check_files) {
    complain(node,
             "is an output of a run; only data sets (for prompts) can be taken from runs, others are not yet in this "
             "version");
    return std::nullopt;
  }
  if (node.text.starts_with('@')) return InputFile{node.text, {}};
  auto path = file(node);
  if (!path) return std::nullopt;
  return InputFile{node.text, std::move(*path)};
}

std::optional<HookGlobs> ParamCheck::hooks(const Node& node) const {
  HookGlobs out;
  const auto add = [&](const Node& one) {
    if (!is_string(one, "a hook name or glob")) return false;
    if (one.text.empty()) return complain(one, "names no hook");
    try {
      (void)base::expand_braces(one.text);
    } catch (const base::UserError& e) {
      problems_.error(one.span, e.what());
      return false;
    }
    out.globs.push_back(one.text);
    return true;
  };
  if (!node.is(Node::Type::Array)) return add(node) ? std::optional(out) : std::nullopt;
  if (node.items.empty()) {
    complain(node, "names no hook");
    return std::nullopt;
  }
  bool fine = true;
  for (const auto& item : node.items) fine = add(item) && fine;
  return fine ? std::optional(out) : std::nullopt;
}

bool ParamCheck::scalar_value(CheckedParam& out) const {
  const auto set = [&](auto value, auto make_json) {
    if (!value) return false;
    out.json = make_json(*value);
    out.value = std::move(*value);
    return true;
  };
  switch (row_.type) {
    case DIOPTER_INT: return set(integer(root_), [](auto v) { return base::Json(v); });
    case DIOPTER_FLOAT: return set(number(root_), [](auto v) { return base::Json(v); });
    case DIOPTER_BOOL:
      if (!root_.is(Node::Type::Boolean))
        return complain(root_, fmt::format("is {}, not true or false", type_name(root_)));
      out.json = root_.boolean;
      out.value = root_.boolean;
      return true;
    case DIOPTER_STRING:
    case DIOPTER_CHOICE:
    case DIOPTER_TOKEN: {
      const bool fine = row_.type == DIOPTER_CHOICE  ? choice(root_)
                        : row_.type == DIOPTER_TOKEN ? token(root_)
                                                     : is_string(root_, "a string");
      if (!fine) return false;
      out.json = root_.text;
      out.value = root_.text;
      return true;
    }
    case DIOPTER_PATH: return set(file(root_), [&](const auto&) { return base::Json(root_.text); });
    case DIOPTER_INPUT: return set(input(root_), [&](const auto&) { return base::Json(root_.text); });
    case DIOPTER_HOOKS:
      return set(hooks(root_),
                 [](const HookGlobs& v) { return v.globs.size() == 1 ? base::Json(v.globs[0]) : base::Json(v.globs); });
    case DIOPTER_POSITIONS: return set(read_positions(root_, problems_), [](const Positions& v) { return to_json(v); });
    case DIOPTER_PROMPTS: {
      if (!is_string(root_, "the name of a prompt set")) return false;
      if (!around_.find_prompts || is_absent(root_))
        return set(std::optional(PromptsRef{root_.text, nullptr, {}, {}}),
                   [&](const auto&) { return base::Json(root_.text); });
      return set(around_.find_prompts(root_, problems_), [&](const auto&) { return base::Json(root_.text); });
    }
    default: return complain(root_, fmt::format("has the unknown type {} in the plugin's table", row_.type));
  }
}

std::optional<CheckedParam> ParamCheck::check() const {
  CheckedParam out;
  out.name = row_.name;
  out.type = row_.type;
  out.cosmetic = (row_.flags & DIOPTER_COSMETIC) != 0;
  out.key_span = out.span = root_.span;
  const bool fine = is_list_type(row_.type) ? list_value(out) : scalar_value(out);
  return fine ? std::optional(std::move(out)) : std::nullopt;
}

}  // namespace diopter::study
