#include "host/run_params.hpp"

#include <ATen/ATen.h>

#include <diopter/metric.hpp>

#include "base/error.hpp"
#include "diopter/abi.h"

namespace diopter::host {
namespace {

Positions to_sdk(const study::PositionTerm& term) {
  using Kind = study::PositionTerm::Kind;
  switch (term.kind) {
    case Kind::All: return Positions();
    case Kind::Prompt: return Positions::prompt();
    case Kind::Generated: return Positions::generated();
    case Kind::Last: return Positions::last();
    case Kind::From: return Positions::from(term.first);
    case Kind::Indices: return Positions(term.indices);
    case Kind::Token: return Positions::token(term.token, term.occurrence, term.offset);
  }
  base::internal_error(__FILE__, __LINE__, "a kind of positions without a translation");
}

std::vector<Metric> to_sdk(const study::Metrics& metrics) {
  std::vector<Metric> out;
  for (const std::string& name : metrics.names) {
    auto spec = std::make_shared<MetricSpec>(Metric::named(name, host::to_sdk(metrics.at)).spec());
    spec->normalise = metrics.normalise;
    spec->min_gap = metrics.min_gap;
    out.emplace_back(std::shared_ptr<const MetricSpec>(std::move(spec)));
  }
  return out;
}

struct ToSdk {
  using Value = ParamsData::Value;
  const std::string& name;
  const InputTensors& inputs;

  Value operator()(std::int64_t value) const { return Index{value}; }
  Value operator()(double value) const { return value; }
  Value operator()(bool value) const { return value; }
  Value operator()(const std::string& value) const { return value; }
  Value operator()(const std::filesystem::path& value) const { return value; }
  Value operator()(const study::HookGlobs& value) const { return HookSet(value.globs); }
  Value operator()(const study::Positions& value) const { return host::to_sdk(value); }
  Value operator()(const study::PromptsRef& value) const { return value.written; }
  Value operator()(const study::InputFile&) const {
    const auto found = inputs.find(name);
    return found == inputs.end() ? at::Tensor() : found->second;
  }
  Value operator()(const std::vector<std::int64_t>& value) const {
    return std::vector<Index>(value.begin(), value.end());
  }
  Value operator()(const std::vector<double>& value) const { return value; }
  Value operator()(const std::vector<std::string>& value) const { return value; }
  Value operator()(const std::vector<study::InputFile>& value) const {
    std::vector<std::string> written;
    for (const study::InputFile& file : value) written.push_back(file.written);
    return written;
  }
  Value operator()(const study::Metrics& value) const { return to_sdk(value); }
};

}  // namespace

Positions to_sdk(const study::Positions& positions) {
  DIOPTER_CHECK(!positions.terms.empty(), "positions without a term");
  Positions out = to_sdk(positions.terms.front());
  for (std::size_t i = 1; i < positions.terms.size(); ++i) out = out | to_sdk(positions.terms[i]);
  return out;
}

std::shared_ptr<const ParamsData> run_params(const LoadedKind& kind, const std::vector<study::CheckedParam>& params,
                                             const InputTensors& inputs) {
  auto data = std::make_shared<ParamsData>();
  data->kind = kind.name();
  for (const study::CheckedParam& param : params) {
    data->values.emplace(param.name, std::visit(ToSdk{param.name, inputs}, param.value));
  }
  return data;
}

}  // namespace diopter::host
