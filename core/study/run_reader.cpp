#include "study/run_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/hints.hpp"
#include "study/model_reader.hpp"
#include "study/table_reader.hpp"

namespace diopter::study {
namespace {

bool is_id(std::string_view id) {
  return !id.empty() && id.size() <= 64 && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

// "@corpus/documents"; whether there is such an output is checked when all runs are read.
std::optional<PromptsRef> dataset_ref(const Node& value, Problems& problems) {
  const std::string_view inside = std::string_view(value.text).substr(1);
  if (inside.find('[') != std::string_view::npos) {
    problems.error(value.span, fmt::format("a part of a data set ('{}') is not yet in this version", value.text));
    return std::nullopt;
  }
  const std::size_t slash = inside.find('/');
  if (slash == std::string_view::npos || !is_id(inside.substr(0, slash)) || slash + 1 == inside.size()) {
    problems.error(value.span,
                   fmt::format("'{}' does not name the output of a run; write \"@RUN/OUTPUT\"", value.text));
    return std::nullopt;
  }
  return PromptsRef{value.text, nullptr, std::string(inside.substr(0, slash)), std::string(inside.substr(slash + 1))};
}

std::optional<PromptsRef> find_prompts(const Node& value, const ModelSettings* model, PromptSets& sets,
                                       Problems& problems) {
  if (!value.is(Node::Type::String)) {
    problems.error(value.span, fmt::format("'prompts' is {}, not the name of a prompt set", brief(value)));
    return std::nullopt;
  }
  if (value.text.starts_with('@')) return dataset_ref(value, problems);
  if (!sets.declares(value.text)) {
    Problem& p = problems.error(value.span, fmt::format("there is no prompt set '{}'{}", value.text,
                                                        base::did_you_mean(value.text, sets.names())));
    if (sets.names().empty())
      p.help = fmt::format("add [[prompts.{}.rows]], or [prompts.{}] with a path", value.text, value.text);
    return std::nullopt;
  }
  PromptsRef out{value.text, sets.get(value.text, model), {}, {}};
  if (out.set == nullptr) return std::nullopt;  // its own problems are told where they stand
  return out;
}

void find_kind(Run& run, const Member* kind, const RunSurroundings& around) {
  if (kind == nullptr || !kind->value.is(Node::Type::String)) return;
  run.kind_written = kind->value.text;
  const KindAnswer answer = around.options.find_kind(kind->value.text);
  run.kind = answer.kind;
  if (answer.kind == nullptr) around.problems.error(kind->value.span, answer.problem);
}

void read_own_model(Run& run, const Node& table, const RunSurroundings& around) {
  const Member* own = table.find("model");
  if (run.kind != nullptr && (run.kind->needs & DIOPTER_NEEDS_TRAINING) != 0) {
    if (own != nullptr) {
      around.problems.error(own->key_span,
                            fmt::format("kind '{}' makes its own weights; remove 'model'", run.kind->name));
    }
    return;
  }
  run.model = around.model;
  if (own != nullptr && !own->value.is(Node::Type::Table)) {
    around.problems.error(
        own->value.span,
        fmt::format("'model' of run '{}' is {}, not a table; for example model = {{ source = \"gpt2\" }}", run.id,
                    type_name(own->value)));
    return;
  }
  if (own != nullptr) {
    run.model = read_model(own->value, fmt::format("'model' of run '{}'", run.id), around.model, around.folder.path,
                           around.problems);
  }
  if (!run.model->source.empty() || run.kind == nullptr) return;
  if (run.model->spans.contains("source")) return;  // a bad source has its own message
  if (around.model_table == nullptr) {
    around.problems.error(run.span,
                          fmt::format("run '{}' needs a model; add [model] with source = \"organism\"", run.id));
  } else {
    around.problems.error(around.model_table->span,
                          "[model] needs the key 'source'; for example source = \"organism\"");
  }
}

void read_edits(Run& run, const Node& table, const ParamSurroundings& surroundings, Problems& problems) {
  const Member* edits = table.find("edit");
  if (edits == nullptr) return;
  if (run.kind != nullptr && (run.kind->needs & DIOPTER_NEEDS_EDITS) == 0) {
    problems.error(edits->key_span, fmt::format("kind '{}' takes no [[run.edit]]", run.kind->name));
    return;
  }
  if (!is_table_list(*edits, "run.edit", problems)) return;
  for (const auto& item : edits->value.items) {
    if (auto edit = read_edit(item, surroundings, problems)) run.edits.push_back(std::move(*edit));
  }
}

}  // namespace

Run read_run(const Node& table, const RunSurroundings& around) {
  Run run;
  run.span = table.span;
  for (const auto& m : table.members) run.spans[m.key] = m.value.span;
  TableReader reader(table, "[[run]]", around.problems);  // unknown keys are the validator's: they may be parameters
  const Member* kind = reader.require("kind", "kind = \"patching\"");
  reader.string("kind");
  find_kind(run, kind, around);
  run.id = reader.string("id").value_or(run.kind != nullptr ? run.kind->name : run.kind_written);
  if (const Member* id = table.find("id"); id != nullptr && id->value.is(Node::Type::String) && !is_id(run.id)) {
    around.problems.error(id->value.span, fmt::format("'{}' cannot be an id; use letters, digits, _ and -", run.id));
  }
  run.name = reader.string("name").value_or(run.id);
  run.note = reader.string("note").value_or("");
  run.tags = reader.strings("tags").value_or(std::vector<std::string>{});
  run.needs = reader.strings("needs").value_or(std::vector<std::string>{});
  run.seed = reader.integer("seed", 0).value_or(0);
  for (const auto* key : {"axis", "exclude", "include", "match"}) reader.later(key);

  read_own_model(run, table, around);
  const ModelSettings* model = run.model ? &*run.model : nullptr;
  if (const Member* prompts = table.find("prompts")) {
    run.prompts = find_prompts(prompts->value, model, around.prompts, around.problems);
  }
  ParamSurroundings surroundings;
  surroundings.folder = around.folder.path;
  if (model != nullptr && !model->source.empty() && around.options.sizes_of)
    surroundings.sizes = around.options.sizes_of(*model);
  surroundings.find_prompts = [&around, model](const Node& value, Problems& problems) {
    return find_prompts(value, model, around.prompts, problems);
  };
  if (run.kind != nullptr) run.params = check_params(*run.kind, table, surroundings, around.problems);
  read_edits(run, table, surroundings, around.problems);
  return run;
}

}  // namespace diopter::study
