// A kind of the plugin, run on a small random model by the engine, with what it logs kept.
#pragma once

#include <ATen/ATen.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <diopter_host/backends.hpp>

#include "core/engine/support.hpp"

namespace diopter::patching::testing {

using engine::testing::Lab;
using Values = std::map<std::string, ParamsData::Value, std::less<>>;

class KeptLog final : public LogBackend {
 public:
  using Cell = std::variant<Index, double, std::string>;

  void metric(Text name, double value, Index, double) override { metrics[std::string(name)] = value; }
  // A piece per metric: "value" of the metric "logit_diff" is kept as "value/logit_diff".
  void tensor(Text name, const Tensor& value, const Labels& labels) override {
    tensors[std::string(name) + (labels.metric.empty() ? "" : "/" + std::string(labels.metric))] = value;
  }
  void table(Text, std::vector<Column>, const Labels&) override { FAIL() << "tables of columns are not kept"; }
  void row(Text table, std::vector<Cell> cells) override { rows[std::string(table)].push_back(std::move(cells)); }
  void figure(Text name, const Figure&) override { figures.emplace_back(name); }
  void text(Text, Text) override {}
  void model(Text, const Trainable&) override {}
  void dataset(Text, const Prompts&, const Path&) override {}
  void file(Text, const Path&) override {}
  void warn(Text guard, Text sentence) override { warnings.emplace_back(guard, sentence); }

  const Tensor& operator[](const std::string& name) const { return tensors.at(name); }
  bool has(const std::string& name) const { return tensors.contains(name); }

  std::map<std::string, double> metrics;
  std::map<std::string, Tensor> tensors;
  std::map<std::string, std::vector<std::vector<Cell>>> rows;
  std::vector<std::string> figures;
  std::vector<std::pair<std::string, std::string>> warnings;
};

class Bench final : public ContextBackend {
 public:
  Bench(Lab& lab, Prompts prompts, Values values)
      : lab_(lab), prompts_(std::move(prompts)), params_(params_of(std::move(values))), model_(lab.session.model()) {}

  const Params& params() const override { return params_; }
  const Model& model() const override { return model_; }
  const Edits& edits() const override { return edits_; }
  const Prompts& prompts(Text) const override { return prompts_; }
  EngineBackend& engine() override { return lab_.session; }
  EngineBackend& generation_engine() override { return lab_.session; }
  EngineBackend& training_engine() override { return lab_.session; }
  Log& log() override { return log_; }
  Path scratch() override { return {}; }
  at::Generator rng(Text) override { return at::detail::createCPUGenerator(17); }
  void progress(Text, Index, Index, Text) override {}
  bool stop_requested() const noexcept override { return false; }

  template <class Kind>
  const KeptLog& run(Kind kind) {
    Context context(*this);
    kind.run(context);
    return kept;
  }

  KeptLog kept;

 private:
  static Params params_of(Values values) {
    auto data = std::make_shared<ParamsData>();
    data->kind = "trial";
    data->values = std::move(values);
    return Params(std::shared_ptr<const ParamsData>(std::move(data)));
  }

  Lab& lab_;
  Prompts prompts_;
  Params params_;
  Model model_;
  Edits edits_;
  Log log_{kept};
};

// As a manifest's `normalise = "clean_corrupted"` makes it.
inline Metric normalised(const char* name) {
  MetricSpec spec = Metric::named(name).spec();
  spec.normalise = true;
  spec.min_gap = 1e-3;
  return Metric(std::make_shared<const MetricSpec>(spec));
}

}  // namespace diopter::patching::testing
