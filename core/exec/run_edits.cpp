#include "exec/run_edits.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/hints.hpp"
#include "host/run_params.hpp"
#include "model/stored_tensor.hpp"
#include "weights/safetensors_file.hpp"

namespace diopter::exec {
namespace {

using study::Edit;
using study::EditOp;
using Term = study::PositionTerm;

study::SourceSpan span_of(const Edit& edit, const char* key) {
  const auto found = edit.spans.find(key);
  return found == edit.spans.end() ? edit.span : found->second;
}

void check_value_of(const study::Run& run, const Edit& edit, study::Problems& problems) {
  const auto at = span_of(edit, "value");
  const bool takes_prompts = edit.value == Edit::Value::Clean || edit.value == Edit::Value::Corrupted;
  if (takes_prompts && !run.prompts) {
    problems.error(at,
                   fmt::format("the value is that of the run's prompts, but run '{}' has none; add prompts", run.id));
  }
  // Rows of another run's data set are seen when it runs.
  if (edit.value == Edit::Value::Corrupted && run.prompts && run.prompts->set &&
      !run.prompts->set->has_column("corrupted")) {
    problems.error(at, fmt::format("the value is that of the corrupted prompts, but the prompts of run '{}' have no "
                                   "'corrupted' text; add it to every row",
                                   run.id));
  }
  if (edit.value != Edit::Value::File) return;
  try {
    edit_tensor(edit.file);
  } catch (const base::UserError& error) {
    problems.error(at, error.what()).help = error.help();
  }
}

void check_positions_of(const study::Run& run, const study::Positions& positions, const study::SourceSpan& at,
                        const ModelFacts& model, study::Problems& problems) {
  for (const Term& term : positions.terms) {
    if (term.kind == Term::Kind::Generated && (run.kind->needs & DIOPTER_NEEDS_GENERATION) == 0) {
      problems.error(at, fmt::format("kind '{}' writes no text, so there are no generated positions; choose others",
                                     run.kind->name));
    }
    if (term.kind != Term::Kind::Token || !model.codec) continue;
    const text::Tokenizer& tokenizer = model.codec->tokenizer();
    if (tokenizer.single_token(term.token)) continue;
    std::vector<std::string> pieces;
    for (const std::string& piece : tokenizer.pieces(term.token)) pieces.push_back(base::quoted(piece));
    problems.error(
        at, fmt::format("{} is {} tokens ({}); give one", base::quoted(term.token), pieces.size(), base::join(pieces)));
  }
}

Prompts side_of(const Edit& edit, const Prompts& prompts) {
  if (edit.value == Edit::Value::Corrupted) return prompts.corrupted();
  return prompts.data()->has_pairs ? prompts.clean() : prompts;
}

Tensor tensor_of(const Edit& edit) {
  if (edit.value == Edit::Value::Number) return at::scalar_tensor(edit.number, at::kDouble);
  return edit_tensor(edit.file);
}

Reals coefficients_of(const Edit& edit) {
  return edit.sweeps ? Reals(edit.coefficients) : Reals(edit.coefficients.front());
}

Change change_of(const Edit& edit, const Prompts& prompts) {
  const bool from_prompts = edit.value == Edit::Value::Clean || edit.value == Edit::Value::Corrupted;
  switch (edit.op) {
    case EditOp::Replace:
      return from_prompts ? Change::replace(side_of(edit, prompts)) : Change::replace(tensor_of(edit));
    case EditOp::Add: return Change::add(tensor_of(edit), coefficients_of(edit));
    case EditOp::Scale: return Change::scale(coefficients_of(edit));
    case EditOp::Zero: return Change::zero();
    case EditOp::Mean: return Change::mean(side_of(edit, prompts));
    case EditOp::Freeze: return Change::freeze();
  }
  base::internal_error(__FILE__, __LINE__, "an operation without a Change");
}

}  // namespace

Tensor edit_tensor(const study::InputFile& file) {
  if (file.path.extension() != ".safetensors") {
    throw base::UserError(
        base::Exit::Usage,
        fmt::format("'{}' is not a .safetensors file, which is what a value is read from", file.written),
        "diopter tensor RUN NAME --out x.safetensors writes one", "edit.value");
  }
  const weights::SafetensorsFile stored(file.path);
  std::vector<std::string> names;
  for (const auto& [name, view] : stored.tensors()) names.push_back(name);
  const auto only = names.size() == 1 ? stored.tensors().begin() : stored.tensors().find("value");
  if (only != stored.tensors().end()) {
    if (!model::scalar_type(only->second.dtype)) {
      throw base::UserError(base::Exit::Usage,
                            fmt::format("'{}' holds {}, where F32, F64, F16 or BF16 is expected", file.written,
                                        weights::dtype_name(only->second.dtype)),
                            "write floating-point numbers", "edit.value");
    }
    return model::as_tensor(only->second).to(at::kFloat).clone();  // the file is closed
  }
  throw base::UserError(base::Exit::Usage,
                        fmt::format("'{}' holds {} tensors ({})", file.written, names.size(), base::join(names)),
                        "keep one, or call the one that is meant \"value\"", "edit.value");
}

void check_run_edits(const study::Run& run, const ModelFacts& model, study::Problems& problems) {
  for (const Edit& edit : run.edits) {
    check_value_of(run, edit, problems);
    check_positions_of(run, edit.positions, span_of(edit, "positions"), model, problems);
    check_positions_of(run, edit.sources, span_of(edit, "sources"), model, problems);
  }
}

Edits run_edits(const study::Run& run, const Prompts& prompts) {
  Edits out;
  for (const Edit& edit : run.edits) {
    out.at(HookSet(edit.hook.globs), change_of(edit, prompts),
           {.positions = host::to_sdk(edit.positions),
            .heads = {edit.heads.begin(), edit.heads.end()},
            .kv_heads = {edit.kv_heads.begin(), edit.kv_heads.end()},
            .neurons = {edit.neurons.begin(), edit.neurons.end()},
            .sources = host::to_sdk(edit.sources)});
  }
  return out;
}

}  // namespace diopter::exec
