#include "host/resolve_hooks.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/glob.hpp"
#include "base/hints.hpp"
#include "diopter/table_rules.hpp"
#include "study/kind_table.hpp"

namespace diopter::host {
namespace {

using Texts = std::vector<std::string>;

// The texts a parameter can put into a pattern; empty: its type cannot.
Texts texts_of(const study::ParamValue& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return {std::to_string(*integer)};
  if (const auto* text = std::get_if<std::string>(&value)) return {*text};
  if (const auto* hooks = std::get_if<study::HookGlobs>(&value)) return hooks->globs;
  if (const auto* texts = std::get_if<Texts>(&value)) return *texts;
  Texts out;
  if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&value)) {
    for (const std::int64_t integer : *integers) out.push_back(std::to_string(integer));
  }
  return out;
}

const study::CheckedParam* param_named(const std::vector<study::CheckedParam>& params, std::string_view name) {
  for (const auto& param : params) {
    if (param.name == name) return &param;
  }
  return nullptr;
}

class Patterns {
 public:
  Patterns(const LoadedKind& kind, const std::vector<study::CheckedParam>& params) : kind_(kind), params_(params) {}

  // All {name}s of a pattern replaced, in every combination.
  Texts filled(const std::string& pattern) const {
    std::size_t open = pattern.find('{');
    while (open != std::string::npos) {
      const std::size_t close = pattern.find('}', open);
      if (close == std::string::npos) break;
      const std::string name = pattern.substr(open + 1, close - open - 1);
      if (rules::is_name(name)) {
        Texts out;
        for (const std::string& text : values(name, pattern)) {
          const Texts rest = filled(pattern.substr(0, open) + text + pattern.substr(close + 1));
          out.insert(out.end(), rest.begin(), rest.end());
        }
        return out;
      }
      open = pattern.find('{', close);
    }
    return {pattern};
  }

 private:
  Texts values(const std::string& name, const std::string& pattern) const {
    const study::CheckedParam* param = param_named(params_, name);
    if (param == nullptr && name == "layer") return {"*"};
    Texts texts = param ? texts_of(param->value) : Texts();
    if (!texts.empty()) return texts;
    throw PluginError(Stage::Hooks, "placeholder",
                      "hook " + base::quoted(pattern) + " of kind " + base::quoted(kind_.name()) + " names {" + name +
                          "}, which is " + (param ? "a parameter that is no name or index" : "no parameter of it") +
                          "; correct its row.",
                      kind_.about());
  }

  const LoadedKind& kind_;
  const std::vector<study::CheckedParam>& params_;
};

Texts matches(const std::string& pattern, const HookTable& table) {
  Texts out;
  for (const std::string& glob : base::expand_braces(pattern)) {
    for (const HookPoint& point : table.points()) {
      if (base::matches_glob(point.name, glob)) out.emplace_back(point.name);
    }
  }
  return out;
}

// The nearest patterns only: names of hook points differ by a letter or two, and three suggestions would say nothing.
std::string hint(const std::string& pattern, const Texts& known) {
  const std::string name = without_numbers(pattern);
  Texts close = base::nearest(name, known);
  std::erase_if(close, [&, best = close.empty() ? 0 : base::edit_distance(name, close.front())](
                           const std::string& other) { return base::edit_distance(name, other) > best; });
  return close.empty() ? std::string() : base::did_you_mean(name, close);
}

Texts known_patterns(const HookTable& table) {
  std::set<std::string> patterns;
  for (const HookPoint& point : table.points()) patterns.insert(without_numbers(point.name));
  return {patterns.begin(), patterns.end()};
}

}  // namespace

std::string without_numbers(std::string_view name) {
  std::string out;
  while (true) {
    const std::size_t dot = name.find('.');
    const std::string_view segment = name.substr(0, dot);
    const bool number = !segment.empty() && segment.find_first_not_of("0123456789") == std::string_view::npos;
    out += number ? std::string_view("*") : segment;
    if (dot == std::string_view::npos) return out;
    out += '.';
    name.remove_prefix(dot + 1);
  }
}

KindHooks resolve_hooks(const LoadedKind& kind, const std::vector<study::CheckedParam>& params, const HookTable& table,
                        const std::string& model) {
  KindHooks hooks;
  const Patterns patterns(kind, params);
  for (const diopter_hook& row : study::hooks_of(*kind.kind)) {
    for (const std::string& pattern : patterns.filled(row.pattern)) {
      const Texts names = matches(pattern, table);
      if (names.empty()) {
        throw PluginError(Stage::Hooks, "no_match",
                          "hook " + base::quoted(pattern) + " of kind " + base::quoted(kind.name()) +
                              " matches no hook point of " + model + hint(pattern, known_patterns(table)) +
                              "; 'diopter hooks " + model + "' lists them.",
                          kind.about());
      }
      hooks.observed.insert(names.begin(), names.end());
      if (row.access & DIOPTER_EDIT) hooks.edited.insert(names.begin(), names.end());
    }
  }
  return hooks;
}

}  // namespace diopter::host
