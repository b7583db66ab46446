#include "engine/train_checkpoint.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <cstring>

#include <diopter/error.hpp>

#include "base/error.hpp"
#include "base/files.hpp"
#include "weights/safetensors_file.hpp"
#include "weights/safetensors_writer.hpp"

namespace diopter::engine {
namespace {

namespace fs = std::filesystem;
constexpr const char* kWeights = "state.safetensors";
constexpr const char* kState = "state.json";

Path beside(const Path& directory, const char* ending) {
  Path out = directory.has_filename() ? directory : directory.parent_path();
  out += ending;
  return out;
}

std::vector<std::pair<std::string, at::Tensor>> tensors_of(const std::vector<NamedTrained>& all) {
  std::vector<std::pair<std::string, at::Tensor>> out;
  for (const auto& [name, trained] : all) {
    out.emplace_back("weight." + name, trained.weight);
    out.emplace_back("mean." + name, trained.moments.mean);
    out.emplace_back("square." + name, trained.moments.square);
  }
  return out;
}

void copy_into(at::Tensor to, const std::string& name, const weights::SafetensorsFile& file) {
  const auto found = file.tensors().find(name);
  if (found == file.tensors().end())
    throw Error(
        fmt::format("the checkpoint {} has no tensor {}; remove it to start again.", file.path().string(), name));
  const weights::TensorView& from = found->second;
  if (from.dtype != weights::Dtype::F32 || at::IntArrayRef(from.shape) != to.sizes()) {
    throw Error(fmt::format("the checkpoint {} belongs to a model of another shape ({}); remove it to start again.",
                            file.path().string(), name));
  }
  std::memcpy(to.mutable_data_ptr<float>(), from.bytes.data(), to.nbytes());
}

}  // namespace

void write_checkpoint(const Path& directory, const std::vector<NamedTrained>& all, const base::Json& state) {
  const Path made = beside(directory, ".new"), old = beside(directory, ".old");
  fs::remove_all(made);
  base::make_directories(made);
  std::vector<weights::TensorToWrite> tensors;
  for (const auto& [name, tensor] : tensors_of(all)) {
    tensors.push_back({name,
                       weights::Dtype::F32,
                       tensor.sizes().vec(),
                       {static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes()}});
  }
  weights::write_safetensors(made / kWeights, std::move(tensors));
  base::write_file_atomically(made / kState, base::plain_json(state, 1) + "\n");
  fs::remove_all(old);
  if (fs::exists(directory)) fs::rename(directory, old);
  fs::rename(made, directory);
  base::sync_directory(fs::absolute(made).parent_path());
  fs::remove_all(old);
}

base::Json read_checkpoint(const Path& directory, const std::vector<NamedTrained>& all) {
  const Path old = beside(directory, ".old");
  const Path found = fs::exists(directory / kState) ? directory : old;  // killed between the two renames
  if (!fs::exists(found / kState)) return nullptr;
  try {
    const weights::SafetensorsFile file(found / kWeights);
    for (const auto& [name, tensor] : tensors_of(all)) copy_into(tensor, name, file);
    return base::Json::parse(base::read_file(found / kState));
  } catch (const base::UserError& error) {
    throw Error(fmt::format("cannot resume from {}: {}", found.string(), error.what()));
  } catch (const base::Json::exception& error) {
    throw Error(fmt::format("cannot resume from {}: {}", (found / kState).string(), error.what()));
  }
}

}  // namespace diopter::engine
