#include "exec/convert_model.hpp"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/canonical_json.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "base/ulid.hpp"
#include "exec/model_tokenizer.hpp"
#include "exec/verify/verify_model.hpp"
#include "model/load.hpp"
#include "model/precision.hpp"
#include "model/rearrange.hpp"
#include "model/transformer.hpp"
#include "model/transforms.hpp"
#include "text/llama2c_tokenizer.hpp"
#include "text/sentencepiece_file.hpp"

namespace diopter::exec {
namespace fs = std::filesystem;
namespace {

using base::Exit;
using base::UserError;

// A folder beside the wanted one that is gone unless it was kept.
class Draft {
 public:
  explicit Draft(const fs::path& wanted)
      : wanted_(fs::absolute(wanted).lexically_normal()),
        path_(wanted_.parent_path() / ("." + wanted_.filename().string() + "." + base::new_ulid())) {}
  ~Draft() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  const fs::path& path() const { return path_; }
  void keep() const {
    std::error_code error;
    fs::rename(path_, wanted_, error);  // onto a missing or an empty folder
    if (error) throw UserError(Exit::Store, fmt::format("cannot make {}: {}", wanted_.string(), error.message()));
    base::sync_directory(wanted_.parent_path());
  }

 private:
  fs::path wanted_, path_;
};

void check_free(const fs::path& folder) {
  std::error_code ignored;
  if (!fs::exists(folder, ignored) || (fs::is_directory(folder, ignored) && fs::is_empty(folder, ignored))) return;
  throw UserError(Exit::Usage, folder.string() + " is there already; nothing is overwritten", "give a new folder",
                  "model.convert");
}

std::string target_family(const ConvertRequest& request, const ModelInfo& info) {
  if (!request.family.empty()) return request.family;
  return info.family == "nanogpt" || info.family == "mingpt" ? "gpt2" : info.family;
}

// A SentencePiece or llama2.c vocabulary becomes the tokenizer.json that it stands for: what other tools make of the
// bare file depends on their version.
void copy_tokenizer(const ModelFolder& model, const fs::path& folder) {
  bool rebuilt = false, has_config = false;
  for (const fs::path& file : tokenizer_files(model)) {
    const std::string bytes = base::read_file(file), name = file.filename().string();
    const std::string extension = file.extension().string();
    has_config = has_config || name == "tokenizer_config.json";
    if (extension != ".model" && extension != ".bin") {
      base::write_file_atomically(folder / name, bytes);
      continue;
    }
    const std::string pieces = extension == ".bin" ? text::llama2c_as_sentencepiece(bytes, name) : bytes;
    base::write_file_atomically(folder / "tokenizer.json", text::sentencepiece_document(pieces, name).dump(1) + "\n");
    rebuilt = true;
  }
  if (!rebuilt || has_config) return;
  const auto tokenizer = load_tokenizer(model);
  base::Json config = {{"tokenizer_class", "PreTrainedTokenizerFast"}};
  if (tokenizer && tokenizer->bos()) config["bos_token"] = tokenizer->label(*tokenizer->bos());
  if (tokenizer && tokenizer->eos()) config["eos_token"] = tokenizer->label(*tokenizer->eos());
  base::write_file_atomically(folder / "tokenizer_config.json", base::plain_json(config, 2) + "\n");
}

// What ends a text, and how it is drawn by tools that read that file.
void copy_generation_config(const ModelFolder& model, const fs::path& folder) {
  constexpr const char* kName = "generation_config.json";
  const fs::path file = model.folder / kName;
  if (configured_by_folder(model) && fs::is_regular_file(file))
    base::write_file_atomically(folder / kName, base::read_file(file));
}

at::Tensor logits_of(const model::Transformer& model) {
  std::vector<at::Tensor> rows;
  for (const auto& ids : verification_ids(model.info())) {
    rows.push_back(model.forward(at::tensor(at::ArrayRef<std::int64_t>(ids), at::kLong).unsqueeze(0)).flatten(0, 1));
  }
  return at::cat(rows).to(at::kDouble);
}

// The written files, against the model that was to be written, in its dtype: only the order of sums may differ.
void compare(const model::Parameters& meant, const fs::path& folder, at::ScalarType dtype, Conversion& out) {
  const at::Tensor expected = logits_of(model::Transformer(meant));
  const at::Tensor got = logits_of(model::Transformer(model::load(folder, dtype).parameters));
  out.largest_logit = expected.abs().max().item<double>();
  out.logits = (got - expected).abs().max().item<double>();
  const double allowed = dtype == at::kFloat ? gate_of(out.largest_logit) : 0.05 * std::max(1.0, out.largest_logit);
  if (out.logits <= allowed) return;
  throw UserError(
      Exit::Failed,
      fmt::format("the converted model's logits differ by {:.2g} (largest {:.3g}) from the source's; nothing "
                  "was kept; please report this",
                  out.logits, out.largest_logit),
      {}, "model.convert");
}

}  // namespace

Conversion convert_model(const ConvertRequest& request) {
  check_free(request.folder);
  const c10::NoGradGuard no_grad;
  const ModelInfo info = read_info(request.model);
  model::check_transforms(info, request.transforms);
  const at::ScalarType dtype = model::dtype_named(request.dtype);
  // A mapped model of the wanted dtype is not held in memory; transforms need float32.
  const at::ScalarType loaded_as = request.transforms.empty() ? dtype : at::kFloat;
  model::Parameters source =
      model::transformed(model::load(request.model.path(), loaded_as).parameters, request.transforms);
  if (loaded_as != dtype) source = model::in_dtype(source, dtype);
  Conversion out{.from = info.family, .to = target_family(request, info), .files = {}};
  const model::Parameters target = out.to == info.family ? source : model::rearranged(source, out.to);

  const Draft draft(request.folder);
  model::EndTokens tokens;
  if (const auto tokenizer = load_tokenizer(request.model)) tokens = {tokenizer->bos(), tokenizer->eos()};
  model::save(target, draft.path(), tokens);
  copy_tokenizer(request.model, draft.path());
  copy_generation_config(request.model, draft.path());
  compare(source, draft.path(), dtype, out);
  for (const model::Slot slot : model::slots(target.info()))
    out.parameters += target.get(slot.part, slot.layer).numel();
  for (const auto& entry : fs::directory_iterator(draft.path())) out.files.push_back(entry.path().filename());
  std::sort(out.files.begin(), out.files.end());
  draft.keep();
  return out;
}

}  // namespace diopter::exec
