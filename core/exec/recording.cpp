#include "exec/recording.hpp"

#include <ATen/ATen.h>

#include "base/error.hpp"
#include "base/files.hpp"
#include "engine/train_dataset.hpp"
#include "exec/prompt_texts.hpp"

namespace diopter::exec {
namespace {

std::string dtype_of(const at::Tensor& value) {
  switch (value.scalar_type()) {
    case at::kDouble: return "f64";
    case at::kFloat: return "f32";
    case at::kHalf: return "f16";
    case at::kBFloat16: return "bf16";
    case at::kLong: return "i64";
    case at::kInt: return "i32";
    case at::kShort: return "i16";
    case at::kChar: return "i8";
    case at::kByte: return "u8";
    case at::kBool: return "bool";
    default:
      throw base::UserError(base::Exit::Failed, std::string("a tensor of type ") + c10::toString(value.scalar_type()) +
                                                    " cannot be stored; log floats, integers or booleans");
  }
}

std::string_view bytes_of(const at::Tensor& contiguous) {
  return {static_cast<const char*>(contiguous.data_ptr()), contiguous.nbytes()};
}

}  // namespace

void Recording::metric(const std::string& name, double value, std::optional<std::int64_t> step,
                       std::optional<double> standard_error) {
  recorder_.metric(name, value, step.value_or(0), standard_error);
}

void Recording::tensor(const std::string& name, const at::Tensor& value, const std::vector<host::Dim>& dims) {
  const at::Tensor stored = value.contiguous();
  recorder_.tensor({.name = name,
                    .step = 0,
                    .dtype = dtype_of(stored),
                    .shape = stored.sizes().vec(),
                    .dims = host::dims_json(dims),
                    .bytes = bytes_of(stored)});
}

void Recording::table(const std::string& name, const base::Json& doc) { recorder_.output(name, "table", doc); }
void Recording::figure(const std::string& name, const base::Json& figure) { recorder_.output(name, "figure", figure); }
void Recording::text(const std::string& name, const std::string& markdown) {
  recorder_.output(name, "text", {{"markdown", markdown}});
}

void Recording::model(const std::string& name, const std::filesystem::path& directory) {
  recorder_.directory(name, "model", directory);
}

void Recording::dataset(const std::string& name, const Prompts& rows, const std::filesystem::path& tokenizer) {
  const std::filesystem::path folder = outputs_ / name;
  std::filesystem::remove_all(folder);
  base::make_directories(outputs_);
  engine::save_dataset(rows, tokenizer, folder);
  recorder_.directory(name, "dataset", folder);
}

void Recording::file(const std::string& name, const std::filesystem::path& file) { recorder_.file(name, "file", file); }

void Recording::event(Level level, const std::string& kind, const std::string& message) {
  recorder_.event(level == Level::Warning ? exec::Level::Warning : exec::Level::Info, kind, message);
  constexpr std::string_view kGuard = "guard.";
  if (level == Level::Warning)
    warnings_.push_back({kind.starts_with(kGuard) ? kind.substr(kGuard.size()) : kind, message});
}

void Recording::progress(const std::string& what, std::int64_t done, std::int64_t total, const std::string& extra) {
  if (progress_) progress_(what, done, total, extra);
}

void Recording::prompts(const PromptsData& data) {
  for (const IdTable& table : id_tables(data)) {
    base::Json rows = base::Json::array();
    for (std::int64_t i = 0; i < table.shape[0]; ++i) rows.push_back(data.rows[static_cast<std::size_t>(i)].index);
    recorder_.tensor({.name = table.name,
                      .step = 0,
                      .dtype = "i64",
                      .shape = table.shape,
                      .dims = {{{"name", "prompt"}, {"coord", rows}}, {{"name", table.second}}},
                      .bytes = {reinterpret_cast<const char*>(table.ids.data()), table.ids.size() * sizeof(Index)}});
  }
}

}  // namespace diopter::exec
