#include "exec/check_study.hpp"

#include <fmt/format.h>

#include <algorithm>

#include <diopter/error.hpp>

#include "exec/prompt_tokens.hpp"
#include "exec/run_edits.hpp"
#include "host/check_needs.hpp"
#include "host/instance.hpp"
#include "host/run_params.hpp"
#include "study/kind_table.hpp"

namespace diopter::exec {
namespace {

using study::Problems;

const study::Metrics* metrics_of(const study::Run& run) {
  for (const auto& param : run.params) {
    if (const auto* metrics = std::get_if<study::Metrics>(&param.value)) return metrics;
  }
  return nullptr;
}

RowDemands demands_of(const study::Run& run, const host::LoadedKind& kind) {
  RowDemands out{.pairs = kind.needs(DIOPTER_NEEDS_PAIRS), .answers = kind.needs(DIOPTER_NEEDS_ANSWERS)};
  const study::Metrics* metrics = metrics_of(run);
  if (!metrics) return out;
  for (const std::string& name : metrics->names) {
    const bool difference = name == "logit_diff" || name == "prob_diff";
    out.foils |= difference;
    out.answers |= difference || name == "logit" || name == "log_prob" || name == "prob" || name == "rank" ||
                   name == "joint_log_prob";
    if (name == "joint_log_prob") out.single_token = false;
  }
  return out;
}

class Checker {
 public:
  Checker(KindLibrary& kinds, ModelShelf& shelf, Problems& problems)
      : kinds_(kinds), shelf_(shelf), problems_(problems) {}

  CheckedRun check(const study::Run& run) {
    CheckedRun out{.run = &run, .kind = kinds_.loaded(run.kind), .model = nullptr, .hooks = {}, .prompts = {}};
    if (run.model) {
      out.model = shelf_.find(*run.model, problems_);
      if (!out.model) return out;
    }
    check_needs(run, out);
    if (out.model) {
      check_hooks(run, out);
      check_tokens(run, out);
      check_run_edits(run, *out.model, problems_);
      if (run.prompts) read_prompts(run, "", *run.prompts, out);
      for (const auto& param : run.params) {
        if (const auto* set = std::get_if<study::PromptsRef>(&param.value)) read_prompts(run, param.name, *set, out);
      }
    }
    if (complete(run)) preflight(run, out);
    return out;
  }

 private:
  // Calls `work`; the sentence of what the host or the SDK refuses becomes a problem at `where`.
  template <class Work>
  bool guarded(const study::SourceSpan& where, Work&& work) {
    try {
      work();
      return true;
    } catch (const base::UserError& error) {
      problems_.error(where, error.what()).help = error.help();
    } catch (const Error& error) {
      problems_.error(where, error.what());
    }
    return false;
  }

  void check_needs(const study::Run& run, const CheckedRun& out) {
    const study::PromptSet* set = run.prompts ? run.prompts->set.get() : nullptr;
    const host::RunFacts facts{.run_id = run.id,
                               .has_model = run.model.has_value(),
                               .has_tokenizer = out.model && out.model->codec,
                               .has_prompts = run.prompts.has_value(),
                               .has_pairs = set && set->has_column("corrupted"),
                               .has_answers = set && set->has_column("answer"),
                               .has_edits = !run.edits.empty()};
    guarded(run.where(run.prompts ? "prompts" : "kind"), [&] { host::check_needs(out.kind, facts); });
  }

  void check_hooks(const study::Run& run, CheckedRun& out) {
    guarded(run.where("kind"),
            [&] { out.hooks = host::resolve_hooks(out.kind, run.params, out.model->hooks, out.model->info.name); });
    for (const auto& param : run.params) {
      const auto* hooks = std::get_if<study::HookGlobs>(&param.value);
      if (hooks) guarded(param.span, [&] { out.model->hooks.resolve(HookSet(hooks->globs)); });
    }
    for (const auto& edit : run.edits) {
      guarded(edit.span, [&] { out.model->hooks.resolve(HookSet(edit.hook.globs)); });
    }
  }

  void check_tokens(const study::Run& run, const CheckedRun& out) {
    if (!out.model->codec) return;
    const text::Tokenizer& tokenizer = out.model->codec->tokenizer();
    const auto check = [&](const std::string& text, const study::SourceSpan& where) {
      if (tokenizer.single_token(text)) return;
      std::string pieces;
      for (const auto& piece : tokenizer.pieces(text)) pieces += (pieces.empty() ? "'" : ", '") + piece + "'";
      problems_.error(where,
                      fmt::format("'{}' is {} tokens ({}); give one", text, tokenizer.pieces(text).size(), pieces));
    };
    for (const auto& param : run.params) {
      if (param.type == DIOPTER_TOKEN) check(std::get<std::string>(param.value), param.span);
      if (param.type != DIOPTER_TOKEN_LIST) continue;
      const auto& words = std::get<std::vector<std::string>>(param.value);
      for (std::size_t i = 0; i < words.size(); ++i)
        check(words[i], i < param.element_spans.size() ? param.element_spans[i] : param.span);
    }
  }

  void read_prompts(const study::Run& run, const std::string& key, const study::PromptsRef& ref, CheckedRun& out) {
    if (!ref.set) return;  // another run's data set
    if (!out.model->codec) {
      problems_.error(run.where("prompts"), fmt::format("prompts need a tokenizer, but {} has no tokenizer.json",
                                                        out.model->folder.path().string()));
      return;
    }
    const TokenizerUse use{.tokenizer = out.model->codec->tokenizer(),
                           .codec = out.model->codec,
                           .model = out.model->info,
                           .bos = run.model->bos};
    if (auto data = tokenize(*ref.set, use, key.empty() ? demands_of(run, out.kind) : RowDemands{}, problems_))
      out.prompts[key] = data;
  }

  // A parameter with a mistake is left out; then the constructor would only object to its absence.
  static bool complete(const study::Run& run) {
    const auto rows = study::params_of(*run.kind);
    return std::all_of(rows.begin(), rows.end(),
                       [&](const diopter_param& row) { return run.param(row.name) != nullptr; });
  }

  void preflight(const study::Run& run, const CheckedRun& out) {
    guarded(run.span, [&] { host::preflight(out.kind, Params(host::run_params(out.kind, run.params))); });
  }

  KindLibrary& kinds_;
  ModelShelf& shelf_;
  Problems& problems_;
};

}  // namespace

std::unique_ptr<CheckedStudy> check_study(const std::filesystem::path& manifest,
                                          const std::vector<std::string>& overrides, KindLibrary& kinds,
                                          Problems& problems) {
  ModelShelf shelf;
  const study::StudyOptions options{
      .overrides = overrides,
      .find_kind = [&](std::string_view name) { return kinds.answer(name); },
      .sizes_of = [&](const study::ModelSettings& settings) -> std::optional<study::ModelSizes> {
        const auto facts = shelf.find_quietly(settings);
        if (!facts) return std::nullopt;
        const ModelInfo& m = facts->info;
        return study::ModelSizes{m.name,
                                 {{"layer", m.n_layers},
                                  {"head", m.n_heads},
                                  {"kv_head", m.n_kv_heads},
                                  {"neuron", m.d_mlp},
                                  {"vocab", m.d_vocab},
                                  {"pos", m.n_ctx}}};
      },
      .family_of =
          [&](const study::ModelSettings& settings) {
            const auto facts = shelf.find_quietly(settings);
            return facts ? facts->info.family : std::string();
          }};
  auto study = study::read_study(manifest, options, problems);
  if (!study) return nullptr;
  auto out = std::make_unique<CheckedStudy>(CheckedStudy{std::move(*study), {}});
  Checker checker(kinds, shelf, problems);
  for (const study::Run* run : out->study.in_order()) {
    if (run->kind) out->runs.push_back(checker.check(*run));
  }
  return problems.ok() ? std::move(out) : nullptr;
}

}  // namespace diopter::exec
