#include <ATen/ATen.h>
#include <fmt/format.h>

#include "base/error.hpp"
#include "base/files.hpp"
#include "model/config.hpp"
#include "model/family.hpp"
#include "model/load.hpp"
#include "model/stored_layout.hpp"
#include "model/stored_tensor.hpp"
#include "weights/safetensors_writer.hpp"

namespace diopter::model {
namespace {

// A value the files of this family have no place for must be the one that load() assumes.
void check_absent(const StoredName& stored, const Parameters& parameters) {
  const at::Tensor value = parameters.get(stored.slot.part, stored.slot.layer);
  if (at::equal(value, stored.how == Stored::AbsentOnes ? at::ones_like(value) : at::zeros_like(value))) return;
  throw base::UserError(
      base::Exit::Refused,
      fmt::format("expected {} of {} to be {} throughout, as files of the {} layout have no place for it",
                  slot_name(stored.slot), parameters.info().name, stored.how == Stored::AbsentOnes ? 1 : 0,
                  parameters.info().family),
      {}, "model.weights");
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
    if (is_absent(stored.how)) {
      check_absent(stored, parameters);
      continue;
    }
    const at::Tensor tensor = as_stored(parameters.info(), stored, parameters.get(stored.slot.part, stored.slot.layer));
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
