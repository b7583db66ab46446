#include "engine/dataset_tensors.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <array>
#include <cstring>

#include "base/error.hpp"
#include "weights/safetensors_file.hpp"
#include "weights/safetensors_writer.hpp"

namespace diopter::engine {
namespace {

using weights::Dtype;

struct TypePair {
  at::ScalarType ours;
  Dtype stored;
};
constexpr std::array<TypePair, 5> kTypes{{{at::kBool, Dtype::Bool},
                                          {at::kInt, Dtype::I32},
                                          {at::kLong, Dtype::I64},
                                          {at::kFloat, Dtype::F32},
                                          {at::kDouble, Dtype::F64}}};

const TypePair* find_type(const auto& matches) {
  for (const TypePair& pair : kTypes) {
    if (matches(pair)) return &pair;
  }
  return nullptr;
}

}  // namespace

StoredTensors::StoredTensors(const Path& file) : file_(file) {
  const weights::SafetensorsFile in(file);
  for (const auto& [name, view] : in.tensors()) {
    const TypePair* type = find_type([&](const TypePair& pair) { return pair.stored == view.dtype; });
    if (!type) fail(fmt::format("{} has the type {}", name, weights::dtype_name(view.dtype)));
    at::Tensor tensor = at::empty(view.shape, type->ours);
    if (!view.bytes.empty()) std::memcpy(tensor.mutable_data_ptr(), view.bytes.data(), view.bytes.size());
    tensors_.emplace(name, std::move(tensor));
  }
}

void StoredTensors::add(const std::string& name, const at::Tensor& tensor) {
  at::Tensor kept = tensor.detach().to(at::kCPU);
  if (!find_type([&](const TypePair& pair) { return pair.ours == kept.scalar_type(); })) {
    kept = kept.to(kept.is_floating_point() ? at::kFloat : at::kLong);
  }
  tensors_.insert_or_assign(name, kept.contiguous());
}

void StoredTensors::write(const Path& file) const {
  std::vector<weights::TensorToWrite> out;
  for (const auto& [name, tensor] : tensors_) {
    const TypePair* type = find_type([&](const TypePair& pair) { return pair.ours == tensor.scalar_type(); });
    out.push_back({name,
                   type->stored,
                   tensor.sizes().vec(),
                   {static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes()}});
  }
  weights::write_safetensors(file, std::move(out));
}

std::vector<std::string> StoredTensors::names() const {
  std::vector<std::string> out;
  for (const auto& [name, tensor] : tensors_) out.push_back(name);
  return out;
}

const at::Tensor& StoredTensors::get(const std::string& name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) fail(fmt::format("there is no {}", name));
  return found->second;
}

const at::Tensor& StoredTensors::get(const std::string& name, at::ScalarType type, Index dimensions) const {
  const at::Tensor& found = get(name);
  if (found.scalar_type() != type || found.dim() != dimensions) fail(fmt::format("{} has another type or shape", name));
  return found;
}

void StoredTensors::fail(const std::string& defect) const {
  throw base::UserError(base::Exit::Refused,
                        fmt::format("the data set {} is damaged: {}", file_.parent_path().string(), defect),
                        "run the manifest that makes it again", "dataset.damaged");
}

}  // namespace diopter::engine
