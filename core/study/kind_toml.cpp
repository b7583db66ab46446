#include "study/kind_toml.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "study/kind_table.hpp"
#include "study/toml_reader.hpp"

namespace diopter::study {
namespace {

// What stands behind the value: the sentence, then what may be written.
std::string comment_of(const diopter_param& row) {
  std::string out = row.doc;
  std::string more;
  const auto add = [&](const std::string& text) { more += (more.empty() ? "" : "; ") + text; };
  if (row.choices[0] != '\0') {
    std::string list;
    for (const auto& choice : split_words(row.choices, '|')) list += (list.empty() ? "" : " | ") + choice;
    add(list);
  }
  if (row.unit[0] != '\0') add(fmt::format("in {}", row.unit));
  if (row.fallback == nullptr) add("required");
  return more.empty() ? out : fmt::format("{} ({})", out, more);
}

const char* value_of(const diopter_param& row) { return row.fallback != nullptr ? row.fallback : row.example; }

bool takes_prompts(const diopter_kind& kind) { return (kind.needs & DIOPTER_NEEDS_TRAINING) == 0; }

// Names of prompt sets that the examples of DIOPTER_PROMPTS rows use.
std::set<std::string> example_sets(const diopter_kind& kind) {
  std::set<std::string> out;
  if (takes_prompts(kind)) out.insert("example");
  for (const auto& row : params_of(kind)) {
    Problems ignored;
    const auto table = row.type == DIOPTER_PROMPTS ? read_toml(fmt::format("v = {}", value_of(row)), "example", ignored)
                                                   : std::nullopt;
    const Member* value = table ? table->find("v") : nullptr;
    if (value != nullptr && value->value.is(Node::Type::String) && !value->value.text.starts_with('@'))
      out.insert(value->value.text);
  }
  return out;
}

}  // namespace

std::string run_toml(const diopter_kind& kind) {
  struct Line {
    std::string key, value, comment;
  };
  std::vector<Line> lines = {{"id", fmt::format("\"{}\"", kind.name), "its name in needs, [[expect]] and [[report]]"},
                             {"kind", fmt::format("\"{}\"", kind.name), kind.summary}};
  if (takes_prompts(kind)) lines.push_back({"prompts", "\"example\"", "a [prompts.NAME] of this manifest"});
  bool metrics = false;
  for (const auto& row : params_of(kind)) {
    lines.push_back({row.name, value_of(row), comment_of(row)});
    metrics = metrics || row.type == DIOPTER_METRIC_LIST;
  }
  if (metrics) {
    lines.push_back({"at", "\"last\"", "Where metrics are read: a position, several, or { token = \" :\" }"});
    lines.push_back({"normalise", "\"none\"", "none | clean_corrupted"});
    lines.push_back({"min_gap", "0.1", "Smaller gaps between clean and corrupted are not normalised (in logit)"});
  }
  std::size_t keys = 0, values = 0;
  for (const auto& line : lines) {
    keys = std::max(keys, line.key.size());
    if (line.value.size() <= 30) values = std::max(values, line.value.size());
  }
  std::string out = "[[run]]\n";
  for (const auto& line : lines)
    out += fmt::format("{:<{}} = {:<{}}  # {}\n", line.key, keys, line.value, values, line.comment);
  if ((kind.needs & DIOPTER_NEEDS_EDITS) != 0) {
    out +=
        "\n  # [[run.edit]]                           # any number of them\n"
        "  # op   = \"zero\"                          # replace | add | scale | zero | mean | freeze\n"
        "  # hook = \"blocks.0.hook_resid_post\"\n";
  }
  return out;
}

std::string manifest_toml(const diopter_kind& kind) {
  std::string name = kind.name;
  for (auto& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  std::string out = fmt::format("schema = 1\n\n[experiment]\nname  = \"{}\"\nabout = \"{}\"\n", name, kind.summary);
  if ((kind.needs & DIOPTER_NEEDS_TRAINING) == 0) out += "\n[model]\nsource = \"organism\"\n";
  for (const auto& set : example_sets(kind)) {
    out += fmt::format("\n[[prompts.{}.rows]]\n", set);
    out +=
        "clean     = \"When Mary and John went to the store, John gave a drink to\"\n"
        "corrupted = \"When Mary and John went to the store, Mary gave a drink to\"\n"
        "answer    = \" Mary\"\nfoil      = \" John\"\n";
  }
  return out + "\n" + run_toml(kind);
}

}  // namespace diopter::study
