#include "exec/model_facts.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "exec/model_tokenizer.hpp"
#include "model/end_tokens.hpp"
#include "model/placement.hpp"
#include "model/transforms.hpp"

namespace diopter::exec {
namespace {

// Settings that contradict each other, or that this machine cannot carry out.
void check_settings(const study::ModelSettings& settings, study::Problems& problems) {
  if (settings.compute != "float32" && settings.dtype != "float32") {
    problems.error(settings.where("compute"),
                   fmt::format("model.compute = \"{}\" makes products of float32 values in low precision, but "
                               "model.dtype is \"{}\"; leave one of them out",
                               settings.compute, settings.dtype));
  }
  try {
    model::device_named(settings.device);
  } catch (const base::UserError& problem) {
    problems.error(settings.where("device"), problem.what()).help = problem.help();
  }
}

}  // namespace

std::string backend_of(const study::ModelSettings& settings) {
  return settings.device.starts_with("cuda") ? "cuda" : "cpu";
}

std::shared_ptr<const ModelFacts> read_facts(const ModelFolder& folder) {
  auto facts = std::make_shared<ModelFacts>();
  facts->folder = folder;
  facts->info = read_info(folder);
  facts->hooks = HookTable(facts->info);
  if (auto tokenizer = load_tokenizer(folder)) facts->codec = std::make_shared<engine::Codec>(std::move(*tokenizer));
  const auto named = configured_by_folder(folder) ? model::end_token_ids(folder.folder) : std::nullopt;
  if (named) {
    facts->end_tokens = *named;
  } else if (facts->codec && facts->codec->tokenizer().eos()) {
    facts->end_tokens = {*facts->codec->tokenizer().eos()};
  }
  return facts;
}

std::shared_ptr<const ModelFacts> ModelShelf::look_up(const study::ModelSettings& settings, std::string& error) {
  try {
    const ModelFolder folder = find_model(settings);
    auto& facts = by_path_[{folder.path().string(), folder.name}];
    if (!facts) facts = read_facts(folder);
    return facts;
  } catch (const base::UserError& problem) {
    error = problem.what();
    return nullptr;
  }
}

std::shared_ptr<const ModelFacts> ModelShelf::find_quietly(const study::ModelSettings& settings) {
  std::string unused;
  return look_up(settings, unused);
}

std::shared_ptr<const ModelFacts> ModelShelf::find(const study::ModelSettings& settings, study::Problems& problems) {
  check_settings(settings, problems);
  std::string error;
  auto facts = look_up(settings, error);
  if (!facts) {
    problems.error(settings.where("source"), error);
    return facts;
  }
  if (facts->codec) {
    const std::string mismatch = vocabulary_mismatch(facts->codec->tokenizer(), facts->info);
    if (!mismatch.empty()) problems.warning("vocabulary", settings.where("source"), mismatch);
  }
  try {
    model::check_transforms(facts->info, settings.transforms);
  } catch (const base::UserError& problem) {
    problems.error(settings.where("transforms"), problem.what());
  }
  return facts;
}

}  // namespace diopter::exec
