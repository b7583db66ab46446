#include "study/edit.hpp"

#include <fmt/format.h>

#include <array>
#include <limits>
#include <utility>

#include "base/hints.hpp"
#include "study/table_reader.hpp"

namespace diopter::study {
namespace {

const std::vector<std::string> kOps = {"replace", "add", "scale", "zero", "mean", "freeze"};
constexpr std::string_view kName = "[[run.edit]]";

// A row as a plugin could have it, so that the one validator reads the host's own keys too.
diopter_param row(const char* name, std::uint32_t type, const char* index_of = "") {
  constexpr double kNone = std::numeric_limits<double>::infinity();
  return {name, "", "", nullptr, "", "", index_of, type, 0, -kNone, kNone};
}

bool takes_coefficient(EditOp op) { return op == EditOp::Add || op == EditOp::Scale; }

void read_value(Edit& out, const Node& table, const ParamSurroundings& around, Problems& problems) {
  const Member* m = table.find("value");
  const std::string op = kOps[static_cast<std::size_t>(out.op)];
  const bool takes = out.op == EditOp::Replace || out.op == EditOp::Add || out.op == EditOp::Mean;
  if (m == nullptr) {
    if (out.op == EditOp::Mean) out.value = Edit::Value::Clean;
    if (out.op == EditOp::Replace || out.op == EditOp::Add) {
      problems.error(table.span, fmt::format("{} with op = \"{}\" needs a 'value'; for example value = {}", kName, op,
                                             out.op == EditOp::Replace ? "\"clean\"" : "\"vector.safetensors\""));
    }
    return;
  }
  if (!takes) {
    problems.error(m->key_span, fmt::format("op = \"{}\" takes no 'value'", op));
    return;
  }
  const std::string text = m->value.is(Node::Type::String) ? m->value.text : "";
  if (out.op != EditOp::Add && text == "clean") {
    out.value = Edit::Value::Clean;
  } else if (out.op != EditOp::Add && text == "corrupted") {
    out.value = Edit::Value::Corrupted;
  } else if (out.op == EditOp::Mean) {
    problems.error(m->value.span, fmt::format("'value' is {}, but the mean is taken over \"clean\" or \"corrupted\"",
                                              brief(m->value)));
  } else if (m->value.is_number()) {
    if (const auto number = check_value(row("value", DIOPTER_FLOAT), m->value, around, problems)) {
      out.value = Edit::Value::Number;
      out.number = std::get<double>(number->value);
    }
  } else if (const auto file = check_value(row("value", DIOPTER_INPUT), m->value, around, problems)) {
    out.value = Edit::Value::File;
    out.file = std::get<InputFile>(file->value);
  }
}

void read_coefficient(Edit& out, const Node& table, const ParamSurroundings& around, Problems& problems) {
  const Member* m = table.find("coefficient");
  if (m == nullptr) {
    if (out.op == EditOp::Scale)
      problems.error(table.span, fmt::format("{} with op = \"scale\" needs a 'coefficient'", kName));
    return;
  }
  if (!takes_coefficient(out.op)) {
    problems.error(m->key_span,
                   fmt::format("op = \"{}\" takes no 'coefficient'", kOps[static_cast<std::size_t>(out.op)]));
    return;
  }
  out.sweeps = !m->value.is_number();
  if (!out.sweeps) {
    if (const auto one = check_value(row("coefficient", DIOPTER_FLOAT), m->value, around, problems)) {
      out.coefficients = {std::get<double>(one->value)};
    }
    return;
  }
  const auto list = check_value(row("coefficient", DIOPTER_FLOAT_LIST), m->value, around, problems);
  if (!list) return;
  out.coefficients = std::get<std::vector<double>>(list->value);
  if (out.coefficients.empty())
    problems.error(m->value.span, "'coefficient' is an empty list, so there is nothing to run");
}

void read_indices(std::vector<std::int64_t>& out, const char* key, const char* axis, const Node& table,
                  const ParamSurroundings& around, Problems& problems) {
  const Member* m = table.find(key);
  if (m == nullptr) return;
  if (m->value.is(Node::Type::Integer)) {
    if (const auto one = check_value(row(key, DIOPTER_INT, axis), m->value, around, problems)) {
      out = {std::get<std::int64_t>(one->value)};
    }
  } else if (const auto list = check_value(row(key, DIOPTER_INT_LIST, axis), m->value, around, problems)) {
    out = std::get<std::vector<std::int64_t>>(list->value);
    if (out.empty() && !list->all)
      problems.error(m->value.span, fmt::format("'{}' is an empty list, so nothing is selected", key));
    if (list->all) out.clear();  // the default
  }
}

}  // namespace

std::optional<Edit> read_edit(const Node& table, const ParamSurroundings& around, Problems& problems) {
  const std::size_t before = problems.added();
  Edit out;
  out.span = table.span;
  TableReader reader(table, std::string(kName), problems);
  const bool has_op = reader.require("op", "op = \"zero\"") != nullptr;
  const auto op = reader.choice("op", kOps);
  const Member* hook = reader.require("hook", "hook = \"blocks.8.hook_resid_post\"");
  for (const auto* key : {"value", "coefficient", "positions", "sources", "heads", "kv_heads", "neurons"})
    reader.take(key);
  reader.finish();
  if (hook != nullptr) {
    if (const auto globs = check_value(row("hook", DIOPTER_HOOKS), hook->value, around, problems)) {
      out.hook = std::get<HookGlobs>(globs->value);
    }
  }
  if (has_op && op) {
    for (std::size_t i = 0; i < kOps.size(); ++i) {
      if (kOps[i] == *op) out.op = static_cast<EditOp>(i);
    }
    read_value(out, table, around, problems);
    read_coefficient(out, table, around, problems);
  }
  for (const auto& [key, positions] : {std::pair("positions", &out.positions), std::pair("sources", &out.sources)}) {
    const Member* m = table.find(key);
    if (m == nullptr) continue;
    if (auto read = read_positions(m->value, problems)) *positions = std::move(*read);
  }
  read_indices(out.heads, "heads", "head", table, around, problems);
  read_indices(out.kv_heads, "kv_heads", "kv_head", table, around, problems);
  read_indices(out.neurons, "neurons", "neuron", table, around, problems);
  for (const auto& m : table.members) out.spans[m.key] = m.value.span;
  if (problems.added() != before) return std::nullopt;
  return out;
}

base::Json to_json(const Edit& edit) {
  static constexpr std::array<std::string_view, 5> kValues = {"", "clean", "corrupted", "", ""};
  base::Json out = {{"op", kOps[static_cast<std::size_t>(edit.op)]}, {"positions", to_json(edit.positions)}};
  out["hook"] = edit.hook.globs.size() == 1 ? base::Json(edit.hook.globs[0]) : base::Json(edit.hook.globs);
  if (edit.value == Edit::Value::File) {
    out["value"] = edit.file.written;
  } else if (edit.value == Edit::Value::Number) {
    out["value"] = edit.number;
  } else if (edit.value != Edit::Value::None) {
    out["value"] = kValues[static_cast<std::size_t>(edit.value)];
  }
  if (takes_coefficient(edit.op)) {
    out["coefficient"] = edit.sweeps ? base::Json(edit.coefficients) : base::Json(edit.coefficients.front());
  }
  if (edit.sources != Positions{}) out["sources"] = to_json(edit.sources);
  if (!edit.heads.empty()) out["heads"] = edit.heads;
  if (!edit.kv_heads.empty()) out["kv_heads"] = edit.kv_heads;
  if (!edit.neurons.empty()) out["neurons"] = edit.neurons;
  return out;
}

}  // namespace diopter::study
