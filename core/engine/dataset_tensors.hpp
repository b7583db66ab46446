// The tensors of a data set, by name, in one safetensors file.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <vector>

#include <diopter/base.hpp>

namespace diopter::engine {

class StoredTensors {
 public:
  StoredTensors() = default;
  explicit StoredTensors(const Path& file);  // UserError(Refused) when it cannot be read

  // Kept until write(): bool, int32, int64, float or double; other numbers become int64 or float.
  void add(const std::string& name, const at::Tensor& tensor);
  void write(const Path& file) const;

  bool has(const std::string& name) const { return tensors_.contains(name); }
  std::vector<std::string> names() const;
  const at::Tensor& get(const std::string& name) const;
  const at::Tensor& get(const std::string& name, at::ScalarType type, Index dimensions) const;  // refuses another one
  [[noreturn]] void fail(const std::string& defect) const;  // UserError(Refused) naming the folder

 private:
  Path file_;
  std::map<std::string, at::Tensor> tensors_;  // contiguous, on the CPU
};

}  // namespace diopter::engine
