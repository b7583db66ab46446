// One attempt at one item of a plan: model, session, analysis, record.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "exec/check_study.hpp"
#include "exec/recording.hpp"
#include "exec/run_start.hpp"
#include "exec/spool_writer.hpp"
#include "model/transformer.hpp"
#include "store/plan_file.hpp"

namespace diopter::exec {

// The model of the last item stays loaded for the next one.
class LoadedModels {
 public:
  // In the settings' dtype, with their weight transforms, on their device.
  std::shared_ptr<const model::Transformer> get(const ModelFacts& facts, const study::ModelSettings& settings);
  // Of the model that get() gave last: the same with products in float32, when `compute` says otherwise; else null.
  std::shared_ptr<const model::Transformer> exact() const { return exact_; }

 private:
  std::string path_, dtype_, device_, compute_;
  std::vector<std::string> transforms_;
  std::shared_ptr<const model::Transformer> model_, exact_;
};

// Where an item runs, and what its record refers to.
struct ItemPlace {
  SpoolWriter& writer;
  LoadedModels& models;
  std::filesystem::path batch_spool;  // <spool>/<batch>
  std::filesystem::path scratch;      // of this fingerprint; removed after a success
  // fingerprint -> folder with the outputs that other items of the plan read
  std::function<std::filesystem::path(const std::string& fingerprint, const std::string& output)> output_of;
  std::string plugin_sha256, environment, source;  // keys of recorded facts
  study::Execution execution;
  Recording::Progress progress;
};

struct ItemOutcome {
  std::string run_id;
  RunStatus status = RunStatus::Failed;
  std::string message;  // why it failed
  double seconds = 0;
  std::vector<Warning> warnings;
};

// Never throws for what the analysis does: that is the outcome. UserError(Store) when results cannot be kept.
ItemOutcome run_item(const CheckedRun& run, const store::PlanItem& item, const ItemPlace& place);

}  // namespace diopter::exec
