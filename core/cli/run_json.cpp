#include "cli/run_json.hpp"

#include "base/clock.hpp"

namespace diopter::cli {
namespace {

using base::Json;

template <typename T>
Json json_or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json time_or_null(const std::optional<std::int64_t>& us) { return us ? Json(base::iso8601(*us)) : Json(nullptr); }

}  // namespace

Json provenance_json(const store::RunDetail& run) {
  const store::Provenance& from = run.provenance;
  return {{"environment", from.environment},
          {"source", from.source_state},
          {"plugin", from.plugin},
          {"writer", from.writer},
          {"argv", from.argv},
          {"overrides", from.overrides},
          {"manifest", {{"path", json_or_null(from.manifest_path)}, {"sha256", json_or_null(from.manifest_sha256)}}},
          {"plan_sha256", json_or_null(from.plan_sha256)}};
}

Json run_json(const store::RunDetail& run) {
  const store::RunRow& row = run.row;
  Json out = {{"schema", "diopter.run/1"},
              {"id", row.id},
              {"short_id", row.short_id},
              {"kind", row.kind},
              {"kind_version", row.kind_version},
              {"status", row.status},
              {"batch", json_or_null(row.batch)},
              {"batch_id", json_or_null(row.batch_id)},
              {"entry", json_or_null(row.entry)},
              {"item", json_or_null(row.item)},
              {"attempt", row.attempt},
              {"name", json_or_null(row.name)},
              {"note", json_or_null(row.note)},
              {"model", json_or_null(row.model)},
              {"seed", json_or_null(row.seed)},
              {"dtype", json_or_null(row.dtype)},
              {"backend", json_or_null(row.backend)},
              {"started", base::iso8601(row.started_at_us)},
              {"ended", time_or_null(row.ended_at_us)},
              {"seconds", json_or_null(row.seconds)},
              {"error", json_or_null(row.error)},
              {"error_type", json_or_null(row.error_type)},
              {"error_detail", json_or_null(run.error_detail)},
              {"exit_code", json_or_null(row.exit_code)},
              {"signal", json_or_null(row.signal)},
              {"fingerprint", row.fingerprint},
              {"config", run.config},
              {"provenance", provenance_json(run)}};
  for (const char* key : {"params", "metrics", "tensors", "outputs", "artifacts", "inputs", "events", "tags"})
    out[key] = Json::array();
  for (const auto& p : run.params)
    out["params"].push_back({{"key", p.key}, {"value", p.value}, {"type", p.type}, {"swept", p.swept}});
  for (const auto& m : run.metrics)
    out["metrics"].push_back(
        {{"name", m.name}, {"step", m.step}, {"value", m.value}, {"stderr", json_or_null(m.stderr_)}});
  for (const auto& t : run.tensors) {
    out["tensors"].push_back({{"name", t.name},
                              {"step", t.step},
                              {"dtype", t.dtype},
                              {"shape", t.shape},
                              {"dims", t.dims},
                              {"nbytes", t.nbytes},
                              {"sha256", t.sha256},
                              {"vmin", json_or_null(t.vmin)},
                              {"vmax", json_or_null(t.vmax)},
                              {"nonfinite", t.nonfinite},
                              {"path", json_or_null(t.path)}});
  }
  for (const auto& o : run.outputs)
    out["outputs"].push_back({{"name", o.name}, {"type", o.type}, {"doc", o.doc}, {"path", json_or_null(o.path)}});
  for (const auto& a : run.artifacts)
    out["artifacts"].push_back(
        {{"name", a.name}, {"kind", a.kind}, {"path", a.path}, {"bytes", a.bytes}, {"sha256", a.sha256}});
  for (const auto& i : run.inputs)
    out["inputs"].push_back(
        {{"role", i.role}, {"kind", i.kind}, {"path", json_or_null(i.path)}, {"bytes", i.bytes}, {"sha256", i.sha256}});
  for (const auto& e : run.events) {
    out["events"].push_back({{"at", base::iso8601(e.at_us)},
                             {"level", e.level},
                             {"kind", e.kind},
                             {"author", json_or_null(e.author)},
                             {"message", json_or_null(e.message)},
                             {"data", e.data}});
  }
  for (const auto& t : run.tags) out["tags"].push_back({{"key", t.key}, {"value", t.value}});
  return out;
}

}  // namespace diopter::cli
