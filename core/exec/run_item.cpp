#include "exec/run_item.hpp"

#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <sys/resource.h>

#include <chrono>

#include <diopter/error.hpp>

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/ulid.hpp"
#include "engine/session.hpp"
#include "engine/train_dataset.hpp"
#include "exec/run_edits.hpp"
#include "host/run_params.hpp"
#include "host/runner.hpp"
#include "model/load.hpp"
#include "model/placement.hpp"
#include "model/precision.hpp"
#include "model/transforms.hpp"

namespace diopter::exec {
namespace {

RunStart start_of(const CheckedRun& run, const store::PlanItem& item, const ItemPlace& place) {
  RunStart start{.run_id = base::new_ulid(),
                 .item = item.item,
                 .entry = item.entry,
                 .name = item.name,
                 .note = {},
                 .attempt = item.attempt,
                 .retry_of = item.retry_of,
                 .parent = {},
                 .kind = item.kind,
                 .kind_version = item.kind_version,
                 .model = {},
                 .dtype = {},
                 .backend = "cpu",
                 .seed = item.seed,
                 .fingerprint = item.fingerprint,
                 .plugin = place.plugin_sha256,
                 .source = place.source,
                 .environment = place.environment,
                 .config = item.config,
                 .swept = item.swept,
                 .tags = {},
                 .inputs = item.inputs};
  if (!run.run->note.empty()) start.note = run.run->note;
  if (run.model) {
    start.model = run.model->info.name;
    start.dtype = run.run->model->dtype;
    start.backend = backend_of(*run.run->model);
  }
  for (const auto& tag : run.run->tags) start.tags[tag] = "";
  return start;
}

Prompts prompts_of(const study::PromptsRef& ref, const std::string& key, const CheckedRun& run,
                   const store::PlanItem& item, const ItemPlace& place) {
  if (ref.set) return Prompts(run.prompts.at(key));
  for (const std::string& fingerprint : item.needs) {
    const std::filesystem::path folder = place.output_of(fingerprint, ref.output);
    if (!folder.empty()) return engine::load_dataset(folder);
  }
  throw base::UserError(base::Exit::Failed,
                        fmt::format("the data set {} is not there; run the manifest again", ref.written));
}

host::RunInputs inputs_of(const CheckedRun& run, const store::PlanItem& item, const ItemPlace& place) {
  host::RunInputs inputs{
      .params = host::run_params(run.kind, run.run->params), .prompts = {}, .edits = {}, .scratch = place.scratch};
  if (run.run->prompts) inputs.prompts.emplace("", prompts_of(*run.run->prompts, "", run, item, place));
  for (const auto& param : run.run->params) {
    if (const auto* ref = std::get_if<study::PromptsRef>(&param.value))
      inputs.prompts.emplace(param.name, prompts_of(*ref, param.name, run, item, place));
  }
  const auto own = inputs.prompts.find("");
  inputs.edits = run_edits(*run.run, own == inputs.prompts.end() ? Prompts() : own->second);
  return inputs;
}

std::vector<at::Tensor> weights_of(const model::Transformer& model) {
  std::vector<at::Tensor> out;
  for (const model::Slot& slot : model::slots(model.info()))
    out.push_back(model.parameters().get(slot.part, slot.layer));
  return out;
}

host::Outcome analyse(const CheckedRun& run, const store::PlanItem& item, const ItemPlace& place,
                      Recording& recording) {
  const host::RunInputs inputs = inputs_of(run, item, place);
  if (const auto own = run.prompts.find(""); own != run.prompts.end()) recording.prompts(*own->second);
  const auto model = run.model ? place.models.get(*run.model, *run.run->model) : nullptr;
  host::Monitor monitor(
      run.kind, run.hooks,
      {.seed = item.seed.value_or(0), .strict = place.execution.strict, .stop = [] { return base::interrupted(); }},
      recording);
  engine::Session session(model, run.model ? run.model->codec : nullptr, monitor,
                          {.kind = item.kind,
                           .memory_budget = place.execution.memory_budget.value_or(0),
                           .verify = place.execution.verify,
                           .scratch = place.scratch,
                           .exact = model ? place.models.exact() : nullptr,
                           .end_tokens = run.model ? run.model->end_tokens : std::vector<Index>{}});
  return host::run_analysis(run.kind, inputs,
                            {session, model ? weights_of(*model) : std::vector<at::Tensor>{}, model != nullptr},
                            monitor, recording);
}

// What stopped a run before or beside its analysis: weights that cannot be read, a store that is full.
host::Outcome failed(const std::string& id, const std::string& message) {
  return {host::Outcome::Status::Failed, id.empty() ? "run" : id, message};
}

double cpu_ms() {
  rusage use{};
  ::getrusage(RUSAGE_SELF, &use);
  return 1e3 * static_cast<double>(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
         1e-3 * static_cast<double>(use.ru_utime.tv_usec + use.ru_stime.tv_usec);
}

std::int64_t peak_rss() {
  rusage use{};
  ::getrusage(RUSAGE_SELF, &use);
  return use.ru_maxrss * 1024;
}

RunEnd end_of(const host::Outcome& outcome) {
  using Status = host::Outcome::Status;
  RunEnd end;
  end.status = outcome.status == Status::Succeeded   ? RunStatus::Succeeded
               : outcome.status == Status::Cancelled ? RunStatus::Cancelled
                                                     : RunStatus::Failed;
  end.exit_code = outcome.status == Status::Succeeded   ? 0
                  : outcome.status == Status::Cancelled ? 128 + base::interrupt_signal()
                                                        : 1;
  if (outcome.status == Status::Cancelled && base::interrupt_signal() > 0) end.signal = base::interrupt_signal();
  end.error_type = outcome.error_id;
  end.message = outcome.message;
  return end;
}

}  // namespace

std::shared_ptr<const model::Transformer> LoadedModels::get(const ModelFacts& facts,
                                                            const study::ModelSettings& settings) {
  const std::string path = facts.folder.path().string();
  if (path != path_ || settings.compute != compute_ || settings.dtype != dtype_ || settings.device != device_ ||
      settings.transforms != transforms_ || !model_) {
    model_.reset(), exact_.reset();  // two models at once would need twice the memory
    const at::ScalarType dtype = model::dtype_named(settings.dtype);
    // Transforms sum over weights: in float32, rounded once at the end.
    const bool plain = settings.transforms.empty();
    model::Parameters parameters = model::load(facts.folder.path(), plain ? dtype : at::kFloat).parameters;
    if (!plain) parameters = model::in_dtype(model::transformed(parameters, settings.transforms), dtype);
    model_ =
        std::make_shared<const model::Transformer>(model::on_device(parameters, model::device_named(settings.device)));
    if (settings.compute != "float32") {
      exact_ = std::move(model_);
      model_ = std::make_shared<const model::Transformer>(
          model::with_products_in(exact_->parameters(), model::dtype_named(settings.compute)));
    }
    path_ = path;
    compute_ = settings.compute;
    dtype_ = settings.dtype;
    device_ = settings.device;
    transforms_ = settings.transforms;
  }
  return model_;
}

ItemOutcome run_item(const CheckedRun& run, const store::PlanItem& item, const ItemPlace& place) {
  const auto started = std::chrono::steady_clock::now();
  const double cpu_before = cpu_ms();
  Recorder recorder(place.writer, start_of(run, item, place));
  Recording recording(recorder, place.batch_spool / "outputs" / item.fingerprint, place.progress);
  if (place.execution.threads) at::set_num_threads(static_cast<int>(*place.execution.threads));
  host::Outcome outcome;
  try {
    outcome = analyse(run, item, place, recording);
  } catch (const base::UserError& error) {
    outcome = failed(error.id(), error.what());
  } catch (const Stopped& stopped) {
    outcome = {host::Outcome::Status::Cancelled, "stopped", stopped.what()};
  } catch (const Error& error) {
    outcome = failed("run", error.what());
  }
  RunEnd end = end_of(outcome);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  end.wall_ms = seconds * 1e3;
  end.cpu_ms = cpu_ms() - cpu_before;
  end.peak_rss = peak_rss();
  recorder.end(end);
  return {recorder.run_id(), end.status, outcome.message, seconds, recording.warnings()};
}

}  // namespace diopter::exec
