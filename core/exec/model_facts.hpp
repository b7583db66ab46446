// What is known of a run's model before a weight is read: configuration, hook points, tokenizer.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <diopter/hook_name.hpp>

#include "engine/codec.hpp"
#include "exec/model_source.hpp"
#include "study/problems.hpp"

namespace diopter::exec {

struct ModelFacts {
  ModelFolder folder;
  ModelInfo info;
  HookTable hooks;
  std::shared_ptr<const engine::Codec> codec;  // null: no tokenizer lies with the model
  std::vector<Index> end_tokens;  // that end a generated text: generation_config.json's, else config.json's,
                                  // else the tokenizer's
};

// "cpu" or "cuda": runs on one do not answer for runs on the other.
std::string backend_of(const study::ModelSettings& settings);

// UserError(Refused) for a model that is not there or that this version cannot run.
std::shared_ptr<const ModelFacts> read_facts(const ModelFolder& folder);

// Facts of a study's models, each read once; what is wrong with one is said once, at its place in the manifest.
class ModelShelf {
 public:
  // Null when there is no such model; then and for settings this version does not have problems are added (once).
  std::shared_ptr<const ModelFacts> find(const study::ModelSettings& settings, study::Problems& problems);
  // The same without saying anything: for checks that only want sizes.
  std::shared_ptr<const ModelFacts> find_quietly(const study::ModelSettings& settings);

 private:
  std::shared_ptr<const ModelFacts> look_up(const study::ModelSettings& settings, std::string& error);

  // One snapshot may go by several names (gpt2, gpt2@main): each run records the one its manifest has.
  std::map<std::pair<std::string, std::string>, std::shared_ptr<const ModelFacts>> by_path_;
};

}  // namespace diopter::exec
