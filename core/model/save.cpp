#include <ATen/ATen.h>
#include <fmt/format.h>

#include "base/error.hpp"
#include "base/files.hpp"
#include "model/config.hpp"
#include "model/family.hpp"
#include "model/load.hpp"
#include "model/stored_tensor.hpp"
#include "weights/safetensors_writer.hpp"

namespace diopter::model {
namespace {

at::Tensor as_stored(const at::Tensor& value, Stored how) {
  const at::Tensor here = value.detach().to(at::kCPU);
  if (how == Stored::GainMinusOne) return (here - 1).contiguous();
  return (how == Stored::Transposed ? here.t() : here).contiguous();
}

base::Json id_or_null(const std::optional<std::int64_t>& id) { return id ? base::Json(*id) : base::Json(); }

}  // namespace

void save(const Parameters& parameters, const std::filesystem::path& folder, const EndTokens& tokens) {
  parameters.check();
  base::Json config = config_json(parameters.info());
  config["bos_token_id"] = id_or_null(tokens.bos);
  config["eos_token_id"] = id_or_null(tokens.eos);
  const Family& family = find_family(parameters.info().family, folder.string());
  std::vector<at::Tensor> on_host;  // keeps the bytes alive
  std::vector<weights::TensorToWrite> tensors;
  for (const StoredName& stored : family.stored_names(parameters.info())) {
    const at::Tensor tensor = as_stored(parameters.get(stored.slot.part, stored.slot.layer), stored.how);
    const std::optional<weights::Dtype> dtype = stored_dtype(tensor.scalar_type());
    DIOPTER_CHECK(dtype.has_value(), "parameters are floating tensors");
    const std::string name = stored.name == family.head_name ? stored.name : family.base_prefix + stored.name;
    tensors.push_back(
        {name, *dtype, tensor.sizes().vec(), {static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes()}});
    on_host.push_back(tensor);
  }
  base::make_directories(folder);
  weights::write_safetensors(folder / "model.safetensors", tensors,
                             {{"format", "pt"}});  // transformers wants the format
  base::write_file_atomically(folder / "config.json", base::plain_json(config, 2) + "\n");
}

}  // namespace diopter::model
