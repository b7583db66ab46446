#include <array>
#include <cmath>

#include "diopter/reserved_keys.hpp"
#include "study/kind_table.hpp"
#include "study/kind_toml.hpp"
#include "study/metrics_block.hpp"
#include "study/toml_reader.hpp"

namespace diopter::study {
namespace {

using base::Json;

Json string_type() { return {{"type", "string"}}; }
Json list_of(Json item) { return {{"type", "array"}, {"items", std::move(item)}}; }
Json one_of(const std::vector<std::string>& words) { return {{"enum", words}}; }

Json table_of(Json properties, const std::vector<std::string>& required = {}) {
  Json out = {{"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
  if (!required.empty()) out["required"] = required;
  return out;
}

Json positions_type() {
  return {
      {"anyOf",
       {string_type(),
        {{"type", "integer"}},
        list_of({{"type", "integer"}}),
        table_of({{"token", string_type()}, {"occurrence", {{"type", "integer"}}}, {"offset", {{"type", "integer"}}}},
                 {"token"})}}};
}

Json generated_list() { return {{"type", "object"}, {"minProperties", 1}, {"maxProperties", 1}}; }

Json number_type(const diopter_param& row, const char* type) {
  Json out = {{"type", type}};
  if (std::isfinite(row.min)) out["minimum"] = row.min;
  if (std::isfinite(row.max)) out["maximum"] = row.max;
  return out;
}

Json value_type(const diopter_param& row) {
  switch (row.type) {
    case DIOPTER_INT: return number_type(row, "integer");
    case DIOPTER_FLOAT: return number_type(row, "number");
    case DIOPTER_BOOL: return {{"type", "boolean"}};
    case DIOPTER_CHOICE: return one_of(split_words(row.choices, '|'));
    case DIOPTER_POSITIONS: return positions_type();
    case DIOPTER_HOOKS: return {{"anyOf", {string_type(), list_of(string_type())}}};
    case DIOPTER_INT_LIST: {
      Json out = {{"anyOf", {list_of(number_type(row, "integer")), generated_list()}}};
      if (row.index_of[0] != '\0') out["anyOf"].push_back({{"const", "all"}});
      return out;
    }
    case DIOPTER_FLOAT_LIST: return {{"anyOf", {list_of(number_type(row, "number")), generated_list()}}};
    case DIOPTER_STRING_LIST:
    case DIOPTER_TOKEN_LIST:
    case DIOPTER_INPUT_LIST: return list_of(string_type());
    case DIOPTER_CHOICE_LIST: return list_of(one_of(split_words(row.choices, '|')));
    case DIOPTER_METRIC_LIST: return list_of(one_of(metric_names()));
    default: return string_type();
  }
}

Json param_schema(const diopter_param& row) {
  Json out = value_type(row);
  out["description"] = row.doc;
  if (row.fallback != nullptr) {
    Problems ignored;
    if (const auto table = read_toml(std::string("v = ") + row.fallback, "default", ignored);
        table && table->find("v") != nullptr) {
      out["default"] = to_json(table->find("v")->value);
    }
  }
  return out;
}

Json model_properties() {
  return {
      {"source", string_type()},
      {"dtype", one_of({"float32", "bfloat16", "float16"})},
      {"device", string_type()},
      {"compute", one_of({"float32", "bfloat16"})},
      {"bos", one_of({"family", "always", "never"})},
      {"transforms", list_of(one_of({"fold_ln", "center_writing_weights", "center_unembed", "fold_value_biases"}))}};
}

Json edit_schema() {
  const Json indices = {
      {"anyOf", {{{"type", "integer"}}, list_of({{"type", "integer"}}), generated_list(), {{"const", "all"}}}}};
  return table_of(
      {{"op", one_of({"replace", "add", "scale", "zero", "mean", "freeze"})},
       {"hook", {{"anyOf", {string_type(), list_of(string_type())}}}},
       {"value", {{"anyOf", {string_type(), {{"type", "number"}}}}}},
       {"coefficient", {{"anyOf", {{{"type", "number"}}, list_of({{"type", "number"}}), generated_list()}}}},
       {"positions", positions_type()},
       {"sources", positions_type()},
       {"heads", indices},
       {"kv_heads", indices},
       {"neurons", indices}},
      {"op", "hook"});
}

Json run_schema(const diopter_kind& kind) {
  Json properties = {{"id", string_type()},
                     {"kind", {{"const", kind.name}, {"description", kind.summary}}},
                     {"name", string_type()},
                     {"note", string_type()},
                     {"tags", list_of(string_type())},
                     {"prompts", string_type()},
                     {"needs", list_of(string_type())},
                     {"seed", {{"type", "integer"}, {"minimum", 0}}}};
  if ((kind.needs & DIOPTER_NEEDS_TRAINING) == 0) properties["model"] = table_of(model_properties());
  if ((kind.needs & DIOPTER_NEEDS_EDITS) != 0) properties["edit"] = list_of(edit_schema());
  std::vector<std::string> required = {"kind"};
  for (const auto& row : params_of(kind)) {
    properties[row.name] = param_schema(row);
    if (row.fallback == nullptr) required.emplace_back(row.name);
    if (row.type != DIOPTER_METRIC_LIST) continue;
    properties["at"] = positions_type();
    properties["normalise"] = one_of({"none", "clean_corrupted"});
    properties["min_gap"] = {{"type", "number"}, {"minimum", 0}};
  }
  return table_of(std::move(properties), required);
}

Json prompts_schema() {
  const Json row = {{"type", "object"}};  // columns are free
  Json set = {{"path", string_type()},
              {"limit", {{"type", "integer"}, {"minimum", 1}}},
              {"align", one_of({"none", "end"})},
              {"rows", list_of(row)}};
  Json with_for = set;
  with_for["for"] = {{"type", "object"}, {"additionalProperties", table_of(set)}};
  return {{"type", "object"}, {"additionalProperties", table_of(std::move(with_for))}};
}

Json execution_schema() {
  const Json count = {{"type", "integer"}, {"minimum", 1}}, count0 = {{"type", "integer"}, {"minimum", 0}};
  return table_of({{"jobs", count},
                   {"threads", count},
                   {"memory_budget", string_type()},
                   {"verify", count0},
                   {"strict", {{"type", "boolean"}}},
                   {"on_error", one_of({"continue", "stop"})},
                   {"retries", count0},
                   {"timeout", string_type()}});
}

Json report_schema() {
  Json figure = {{"of", string_type()},
                 {"as", string_type()},
                 {"centre", {{"type", "number"}}},
                 {"origin", one_of({"lower", "upper"})}};
  for (const auto* key : {"x", "y", "facet", "slider", "over", "each", "colour", "text", "title"})
    figure[key] = string_type();
  return table_of({{"file", string_type()},
                   {"title", string_type()},
                   {"figure", list_of(table_of(std::move(figure), {"of", "as"}))}});
}

}  // namespace

base::Json manifest_schema(const std::vector<const diopter_kind*>& kinds) {
  Json runs = Json::array();
  for (const auto* kind : kinds) runs.push_back(run_schema(*kind));
  Json properties = {{"schema", {{"const", 1}}},
                     {"experiment", table_of({{"name", {{"type", "string"}, {"pattern", "^[a-z0-9._-]+$"}}},
                                              {"about", string_type()},
                                              {"tags", list_of(string_type())}},
                                             {"name"})},
                     {"model", table_of(model_properties())},
                     {"prompts", prompts_schema()},
                     {"run", list_of({{"oneOf", std::move(runs)}})},
                     {"expect", list_of(table_of({{"of", string_type()},
                                                  {"is", {{"type", "number"}}},
                                                  {"within", {{"type", "number"}}},
                                                  {"when", {{"type", "object"}}}},
                                                 {"of", "is", "within"}))},
                     {"report", list_of(report_schema())},
                     {"execution", execution_schema()}};
  Json out = table_of(std::move(properties), {"schema", "experiment", "run"});
  out["$schema"] = "https://json-schema.org/draft/2020-12/schema";
  out["title"] = "diopter manifest, schema 1";
  return out;
}

}  // namespace diopter::study
