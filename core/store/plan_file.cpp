#include "store/plan_file.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/hash.hpp"
#include "store/optional_json.hpp"

namespace diopter::store {
namespace fs = std::filesystem;
namespace {

Json to_json(const PlanHeader& header, std::size_t items) {
  Json plugins = Json::array(), inputs = Json::array();
  for (const PlanPlugin& plugin : header.plugins) {
    plugins.push_back({{"sha256", plugin.sha256},
                       {"id", plugin.id},
                       {"version", plugin.version},
                       {"path", or_null(plugin.path)},
                       {"abi_stamp", or_null(plugin.abi_stamp)}});
  }
  for (const PlanInput& input : header.inputs) {
    inputs.push_back({{"sha256", input.sha256},
                      {"kind", input.kind},
                      {"bytes", input.bytes},
                      {"path", or_null(input.path)},
                      {"meta", input.meta}});
  }
  const PlanManifest& manifest = header.manifest;
  return {{"schema", "diopter.plan/1"},
          {"batch", header.batch_id},
          {"name", header.name},
          {"manifest",
           {{"path", manifest.path},
            {"source", manifest.source},
            {"resolved", manifest.resolved},
            {"schema_version", manifest.schema_version}}},
          {"argv", header.argv},
          {"overrides", header.overrides},
          {"executor", header.executor},
          {"spool_dir", header.spool_dir},
          {"created_at_us", header.created_at_us},
          {"items", items},
          {"shards", header.shards},
          {"executable", header.executable},
          {"executable_sha256", header.executable_sha256},
          {"plugins", plugins},
          {"inputs", inputs}};
}

PlanHeader header_from(const Json& json) {
  if (json.at("schema") != "diopter.plan/1") {
    throw base::UserError(base::Exit::Refused,
                          "the plan is of schema " + json.at("schema").dump() + ", expected \"diopter.plan/1\"");
  }
  PlanHeader header;
  header.batch_id = json.at("batch");
  header.name = json.at("name");
  const Json& manifest = json.at("manifest");
  header.manifest = {manifest.at("path"), manifest.at("source"), manifest.at("resolved"),
                     manifest.at("schema_version")};
  header.argv = json.at("argv").get<std::vector<std::string>>();
  header.overrides = json.at("overrides").get<std::vector<std::string>>();
  header.executor = json.at("executor");
  header.spool_dir = json.at("spool_dir");
  header.created_at_us = json.at("created_at_us");
  header.shards = json.at("shards");
  header.executable = json.at("executable");
  header.executable_sha256 = json.at("executable_sha256");
  for (const Json& plugin : json.at("plugins")) {
    header.plugins.push_back({plugin.at("sha256"), plugin.at("id"), plugin.at("version"), maybe_text(plugin, "path"),
                              maybe_text(plugin, "abi_stamp")});
  }
  for (const Json& input : json.at("inputs")) {
    header.inputs.push_back({input.at("sha256"), input.at("kind"), input.at("bytes"), maybe_text(input, "path"),
                             input.value("meta", Json())});
  }
  return header;
}

Json to_json(const PlanItem& item) {
  Json inputs = Json::array();
  for (const auto& [role, sha256] : item.inputs) inputs.push_back({{"role", role}, {"sha256", sha256}});
  return {{"item", item.item},
          {"stage", item.stage},
          {"shard", item.shard},
          {"entry", item.entry},
          {"name", item.name},
          {"kind", item.kind},
          {"kind_version", item.kind_version},
          {"fingerprint", item.fingerprint},
          {"config", item.config},
          {"swept", item.swept},
          {"seed", or_null(item.seed)},
          {"inputs", inputs},
          {"needs", item.needs},
          {"cached", or_null(item.cached)},
          {"attempt", item.attempt},
          {"retry_of", or_null(item.retry_of)}};
}

PlanItem item_from(const Json& json) {
  PlanItem item;
  item.item = json.at("item");
  item.stage = json.at("stage");
  item.shard = json.at("shard");
  item.entry = json.at("entry");
  item.name = json.at("name");
  item.kind = json.at("kind");
  item.kind_version = json.at("kind_version");
  item.fingerprint = json.at("fingerprint");
  item.config = json.at("config");
  item.swept = json.at("swept").get<std::vector<std::string>>();
  item.seed = maybe_integer(json, "seed");
  for (const Json& input : json.at("inputs")) item.inputs.emplace_back(input.at("role"), input.at("sha256"));
  item.needs = json.at("needs").get<std::vector<std::string>>();
  item.cached = maybe_text(json, "cached");
  item.attempt = json.at("attempt");
  item.retry_of = maybe_text(json, "retry_of");
  return item;
}

}  // namespace

std::string PlanManifest::sha256() const { return base::sha256(source + '\0' + resolved.dump()); }

std::string write_plan(const fs::path& batch_spool, const Plan& plan) {
  std::string text = to_json(plan.header, plan.items.size()).dump() + '\n';
  for (const PlanItem& item : plan.items) text += to_json(item).dump() + '\n';
  const std::string sha256 = base::sha256(text);
  base::make_directories(batch_spool);
  base::write_file_atomically(batch_spool / "plan.sha256", sha256 + "  plan.jsonl\n");
  base::write_file_atomically(batch_spool / "plan.jsonl", text);  // last: whoever sees it sees a whole plan
  return sha256;
}

ReadPlan read_plan(const fs::path& batch_spool) {
  const fs::path file = batch_spool / "plan.jsonl";
  const std::string text = base::read_file(file);
  ReadPlan out{.plan = {}, .sha256 = base::sha256(text)};
  if (!base::read_file(batch_spool / "plan.sha256").starts_with(out.sha256)) {
    throw base::UserError(base::Exit::Refused,
                          file.string() + " is not the plan whose hash plan.sha256 holds: it was changed or cut short");
  }
  std::size_t at = 0, line = 0;
  try {
    for (; at < text.size(); ++line) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      const Json json =
          Json::parse(text.begin() + static_cast<std::ptrdiff_t>(at), text.begin() + static_cast<std::ptrdiff_t>(end));
      if (line == 0) out.plan.header = header_from(json);
      else out.plan.items.push_back(item_from(json));
      at = end + 1;
    }
  } catch (const Json::exception& error) {
    throw base::UserError(base::Exit::Refused,
                          file.string() + ":" + std::to_string(line + 1) + ": not a plan: " + error.what());
  }
  if (line == 0) throw base::UserError(base::Exit::Refused, file.string() + " is empty");
  return out;
}

}  // namespace diopter::store
