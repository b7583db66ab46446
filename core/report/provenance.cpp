#include "report/provenance.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/clock.hpp"
#include "base/files.hpp"
#include "base/hints.hpp"
#include "report/display.hpp"

namespace diopter::report {
namespace {

using base::Json;
using store::RunDetail;

constexpr std::size_t kMostListed = 12;

// Distinct texts in order of appearance; a long list ends with a count.
class Distinct {
 public:
  void add(const std::string& text) {
    if (!text.empty() && seen_.insert(text).second) texts_.push_back(text);
  }
  std::string joined() const {
    std::string out;
    for (std::size_t i = 0; i < std::min(texts_.size(), kMostListed); ++i) out += (i ? ", " : "") + texts_[i];
    if (texts_.size() > kMostListed) out += fmt::format(" and {} more", texts_.size() - kMostListed);
    return out;
  }

 private:
  std::set<std::string> seen_;
  std::vector<std::string> texts_;
};

std::string text_of(const Json& object, const char* key) {
  return object.is_object() && object.contains(key) && object[key].is_string() ? object[key].get<std::string>()
                                                                               : std::string();
}

std::string commit_text(const Json& source) {
  const std::string commit = text_of(source, "commit");
  if (commit.empty()) return {};
  const bool dirty = source.contains("dirty") && source["dirty"].is_boolean() && source["dirty"].get<bool>();
  return commit.substr(0, 12) + (dirty ? " with uncommitted changes" : "");
}

std::string plain_text(const Json& value) {
  return value.is_string() ? value.get<std::string>() : base::plain_json(value);
}

}  // namespace

Lines provenance_lines(const std::vector<RunDetail>& runs) {
  Distinct ids, batches, manifests, plans, inputs, commits, builds, plugins, started;
  std::vector<Distinct> by_role;
  for (const RunDetail& run : runs) {
    ids.add(run.row.id);
    if (run.row.batch) batches.add(*run.row.batch + (run.row.batch_id ? " (" + *run.row.batch_id + ")" : ""));
    const store::Provenance& from = run.provenance;
    if (from.manifest_sha256)
      manifests.add(from.manifest_path.value_or("manifest") + "  sha256 " + *from.manifest_sha256);
    if (from.plan_sha256) plans.add("sha256 " + *from.plan_sha256);
    for (const store::InputRow& input : run.inputs)
      inputs.add(input.role + (input.path ? " " + *input.path : "") + "  sha256 " + input.sha256);
    commits.add(commit_text(from.source_state));
    if (from.source_state.is_object() && from.source_state.contains("build"))
      builds.add("diopter " + text_of(from.source_state["build"], "version"));
    if (from.plugin.is_object())
      plugins.add(text_of(from.plugin, "id") + " " + text_of(from.plugin, "version") + "  sha256 " +
                  text_of(from.plugin, "sha256"));
    started.add(base::iso8601(run.row.started_at_us).substr(0, 16) + "Z");
  }
  Lines lines;
  const auto add = [&](const char* name, const Distinct& texts) {
    if (const std::string joined = texts.joined(); !joined.empty()) lines.emplace_back(name, joined);
  };
  add("runs", ids);
  add("started", started);
  add("batch", batches);
  add("manifest", manifests);
  add("plan", plans);
  add("inputs", inputs);
  add("commit", commits);
  add("program", builds);
  add("plugins", plugins);
  return lines;
}

std::string repeat_command(const std::vector<RunDetail>& runs) {
  for (const RunDetail& run : runs) {
    if (!run.provenance.manifest_path) continue;
    std::string command = "diopter run " + base::shell_quoted(*run.provenance.manifest_path);
    if (run.provenance.overrides.is_array()) {
      for (const Json& override_text : run.provenance.overrides)
        command += " " + base::shell_quoted(plain_text(override_text));
    }
    return command;
  }
  return runs.empty() ? std::string() : "diopter show " + runs.front().row.short_id + " --config";
}

PageTable comparison_table(const std::vector<RunDetail>& runs) {
  PageTable table;
  table.heading = runs.size() == 1 ? "The run" : "The runs";
  const auto column = [&](const std::string& name, bool numeric) {
    table.columns.push_back(name);
    table.numeric.push_back(numeric);
  };
  for (const char* name : {"run", "entry", "kind", "model", "status", "seconds"})
    column(name, std::string_view(name) == "seconds");
  std::vector<std::string> params, metrics;
  for (const RunDetail& run : runs) {
    for (const store::ParamRow& param : run.params) {
      const auto differs = [&](const RunDetail& other) {
        for (const store::ParamRow& theirs : other.params) {
          if (theirs.key == param.key) return theirs.value != param.value;
        }
        return true;
      };
      if (param.type == "json" || std::find(params.begin(), params.end(), param.key) != params.end()) continue;
      if (params.size() < 8 && std::any_of(runs.begin(), runs.end(), differs)) params.push_back(param.key);
    }
    for (const store::MetricRow& metric : run.metrics) {
      if (metrics.size() < 12 && std::find(metrics.begin(), metrics.end(), metric.name) == metrics.end())
        metrics.push_back(metric.name);
    }
  }
  for (const std::string& key : params) column(key, false);
  for (const std::string& name : metrics) {
    std::string arrow;
    for (const RunDetail& run : runs) {
      for (const store::OutputDefRow& declared : run.declared) {
        if (declared.name == name && declared.type == "metric" && arrow.empty())
          arrow = declared.better == "higher" ? " ↑" : declared.better == "lower" ? " ↓" : "";
      }
    }
    column(name + arrow, true);
  }
  for (const RunDetail& run : runs) {
    const std::string status = run.row.status == "stale" ? "running" : run.row.status;  // as stored: no clock in a page
    std::vector<std::string> row = {run.row.short_id, run.row.entry.value_or(""),
                                    run.row.kind,     run.row.model.value_or(""),
                                    status,           run.row.seconds ? three_digits(*run.row.seconds) : ""};
    for (const std::string& key : params) {
      const auto found =
          std::find_if(run.params.begin(), run.params.end(), [&](const auto& p) { return p.key == key; });
      row.push_back(found == run.params.end() ? "" : plain_text(found->value));
    }
    for (const std::string& name : metrics) {
      const auto found =
          std::find_if(run.metrics.begin(), run.metrics.end(), [&](const auto& m) { return m.name == name; });
      if (found == run.metrics.end()) row.emplace_back();
      else row.push_back(three_digits(found->value) + (found->stderr_ ? " ± " + three_digits(*found->stderr_) : ""));
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace diopter::report
