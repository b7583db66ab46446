// Where the results of one run go: complete, checked, in terms of names and dimensions. Implemented by the recorder
// (exec) and by tests. All calls [main] except progress().
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <diopter/prompts.hpp>

#include "base/canonical_json.hpp"

namespace diopter::host {

// One dimension of a tensor. Each list is empty or as long as the dimension.
struct Dim {
  std::string name;                 // "layer", "pos"; unique in the tensor
  std::vector<std::int64_t> coord;  // layer, head, prompt row, position
  std::vector<double> reals;        // instead of coord: coefficients
  std::vector<std::string> labels;  // exact token strings, metric names, prompt texts; may repeat
  std::vector<std::int64_t> ids;    // token ids beside labels; -1 where rows differ
};
// [{"name":"layer","coord":[0,1]},{"name":"pos","labels":["When"," John"],"ids":[2215,1757]}]
base::Json dims_json(const std::vector<Dim>& dims);

class RecordSink {
 public:
  virtual ~RecordSink();
  virtual void metric(const std::string& name, double value, std::optional<std::int64_t> step,
                      std::optional<double> standard_error) = 0;
  // CPU, contiguous; dtype as logged. NaN (integers: -1) where a row has no such position.
  virtual void tensor(const std::string& name, const at::Tensor& value, const std::vector<Dim>& dims) = 0;
  // Comes after the tensors "table.column" of its numeric and token columns:
  // {"dims":[...],"columns":[{"name":"token","type":"token","tensor":"top.token","values":[" the",...]},
  //                          {"name":"note","type":"text","values":[...]}]}; values in row-major order of the dims.
  //                          Token columns
  // have values when the tokenizer is known, other columns of numbers have none.
  virtual void table(const std::string& name, const base::Json& doc) = 0;
  // Keys of [[report.figure]] that were given: {"as":"heatmap","of":"effect","x":"pos","y":"layer","centre":0.0}
  virtual void figure(const std::string& name, const base::Json& figure) = 0;
  virtual void text(const std::string& name, const std::string& markdown) = 0;
  virtual void model(const std::string& name, const std::filesystem::path& directory) = 0;  // Hugging Face layout
  virtual void dataset(const std::string& name, const Prompts& rows, const std::filesystem::path& tokenizer) = 0;
  virtual void file(const std::string& name, const std::filesystem::path& file) = 0;
  enum class Level { Info, Warning };
  virtual void event(Level level, const std::string& kind,
                     const std::string& message) = 0;  // kind: "guard.gap", "edit.no_change"
  virtual void progress(const std::string& what, std::int64_t done, std::int64_t total,
                        const std::string& extra) = 0;  // [any]
};

}  // namespace diopter::host
