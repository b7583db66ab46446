#include "exec/model_facts.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "exec/model_tokenizer.hpp"
#include "model/end_tokens.hpp"
#include "model/placement.hpp"
#include "model/transforms.hpp"

namespace diopter::exec {
namespace {

// Settings whose place is kept but that this version does not carry out.
void check_settings(const study::ModelSettings& settings, study::Problems& problems) {
  const auto only = [&](const char* key, const std::string& value, std::initializer_list<const char*> known) {
    for (const char* word : known) {
      if (value == word) return;
    }
    problems.error(settings.where(key),
                   fmt::format("model.{} = \"{}\" is not yet in this version; use \"{}\"", key, value, *known.begin()));
  };
  only("compute", settings.compute, {"float32"});
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
