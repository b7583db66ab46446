#include "exec/verify/reference.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstring>

#include "base/canonical_json.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "base/installation.hpp"
#include "base/interrupt.hpp"
#include "base/utf8.hpp"
#include "exec/bounded_command.hpp"
#include "model/stored_tensor.hpp"
#include "weights/safetensors_file.hpp"
#include "weights/safetensors_writer.hpp"

namespace diopter::exec {
namespace fs = std::filesystem;
namespace {

using base::Exit;
using base::Json;
using base::UserError;

constexpr const char* kFormat = "diopter.reference/1";
constexpr int kNoTransformers = 3;  // exit code of transformers_reference.py

// A folder of its own that is gone with it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (fs::temp_directory_path() / "diopter-verify-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
      throw UserError(Exit::Store, "cannot make a folder in " + fs::temp_directory_path().string(),
                      "set TMPDIR to a folder that can be written");
    }
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

at::Tensor owned(const weights::TensorView& view) { return model::as_tensor(view).clone(); }

Reference read_answer(const ReferenceRequest& request, const fs::path& out) {
  const weights::SafetensorsFile tensors(out.string() + ".safetensors");
  const Json about = Json::parse(base::read_file(out.string() + ".json"));
  Reference reference{.made_by = about.at("made_by"), .rows = {}, .texts = {}, .text_ids = {}};
  for (std::size_t row = 0; row < request.ids.size(); ++row) {
    reference.rows.push_back({request.ids[row], owned(tensors.tensors().at(fmt::format("logits.{}", row))),
                              owned(tensors.tensors().at(fmt::format("resid_pre.{}", row)))});
  }
  if (about.at("texts").is_array()) {
    reference.texts = request.texts;
    reference.text_ids = about.at("texts").get<std::vector<std::vector<std::int64_t>>>();
  }
  return reference;
}

[[noreturn]] void refuse_reference(const fs::path& file) {
  throw UserError(Exit::Refused, file.string() + " is not a reference that diopter stored",
                  "diopter model verify MODEL --save FILE makes one", "model.reference");
}

}  // namespace

Reference ask_transformers(const ReferenceRequest& request) {
  const TemporaryFolder folder;
  const fs::path asked = folder.path() / "request.json", out = folder.path() / "out";
  base::write_file_atomically(asked, Json({{"ids", request.ids}, {"texts", request.texts}}).dump());
  std::string without;
  for (const std::string& python : request.pythons) {
    const CommandResult result = run_bounded(
        {python.find('/') == std::string::npos ? python : fs::absolute(python).string(),
         (base::share() / "transformers_reference.py").string(), request.folder.string(), asked.string(), out.string()},
        folder.path(), std::chrono::steady_clock::now() + request.limit, 1 << 20);
    if (base::interrupted()) throw UserError(Exit::Failed, "stopped by an interrupt; nothing was compared");
    if (result.ok()) return read_answer(request, out);
    if (result.end == CommandEnd::TimedOut) {
      throw UserError(
          Exit::Failed,
          fmt::format("transformers did not finish within {} s; nothing was compared", request.limit.count()),
          "--time-limit SECONDS allows more", "model.verify");
    }
    const std::string words = base::printable(result.output.substr(0, result.output.find('\n')));
    if (result.end == CommandEnd::Exited && result.exit_code != kNoTransformers && !words.empty()) {
      throw UserError(
          Exit::Failed, fmt::format("transformers ({}) cannot run {}: {}", python, request.folder.string(), words),
          "a layout of other tools: diopter model convert MODEL FOLDER, then verify FOLDER", "model.verify");
    }
    without += fmt::format("{}{}: {}", without.empty() ? "" : "; ", python, words.empty() ? "does not run" : words);
  }
  throw NoTransformers(without);
}

void write_reference(const Reference& reference, const fs::path& file) {
  std::vector<weights::TensorToWrite> tensors;
  std::vector<at::Tensor> kept;
  for (std::size_t row = 0; row < reference.rows.size(); ++row) {
    const ReferenceRow& from = reference.rows[row];
    kept.push_back(from.logits.contiguous());
    tensors.push_back({fmt::format("logits.{}", row),
                       weights::Dtype::F32,
                       kept.back().sizes().vec(),
                       {static_cast<const char*>(kept.back().const_data_ptr()), kept.back().nbytes()}});
    tensors.push_back({fmt::format("ids.{}", row),
                       weights::Dtype::I64,
                       {static_cast<std::int64_t>(from.ids.size())},
                       {reinterpret_cast<const char*>(from.ids.data()), from.ids.size() * sizeof(std::int64_t)}});
  }
  weights::write_safetensors(file, tensors, {{"format", kFormat}, {"made_by", reference.made_by}});
}

Reference read_reference(const fs::path& file) {
  const weights::SafetensorsFile stored(file);
  const auto& about = stored.metadata();
  if (!about.contains("format") || about.at("format") != kFormat || !about.contains("made_by")) refuse_reference(file);
  Reference reference{.made_by = about.at("made_by"), .rows = {}, .texts = {}, .text_ids = {}};
  const auto& tensors = stored.tensors();
  for (std::size_t row = 0;; ++row) {
    const auto logits = tensors.find(fmt::format("logits.{}", row)), ids = tensors.find(fmt::format("ids.{}", row));
    if (logits == tensors.end() && ids == tensors.end()) break;
    if (logits == tensors.end() || ids == tensors.end() || logits->second.dtype != weights::Dtype::F32 ||
        ids->second.dtype != weights::Dtype::I64 || logits->second.shape.size() != 2 || ids->second.shape.size() != 1 ||
        logits->second.shape[0] != ids->second.shape[0])
      refuse_reference(file);
    ReferenceRow one{
        std::vector<std::int64_t>(static_cast<std::size_t>(ids->second.shape[0])), owned(logits->second), {}};
    std::memcpy(one.ids.data(), ids->second.bytes.data(), ids->second.bytes.size());
    reference.rows.push_back(std::move(one));
  }
  if (reference.rows.empty()) refuse_reference(file);
  return reference;
}

}  // namespace diopter::exec
