// A file that torch.save wrote: .pt, .pth, .bin. Nothing in it is run, and tensors stay where they lie in the file.
//
// Two containers: since torch 1.6 a zip file with a pickle (NAME/data.pkl) and one record per storage (NAME/data/KEY);
// before that five pickles one after the other, then the storages. Source: torch/serialization.py.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/canonical_json.hpp"
#include "weights/tensor_view.hpp"

namespace diopter::weights {

struct TorchFile {
  // Of the state dict: the dict under "model", "state_dict", "model_state_dict" or "module" if one of these holds
  // tensors, else the outermost. Names as they are there.
  std::map<std::string, TensorView> tensors;
  base::Json document;  // everything else: settings, counters, the optimiser's state (tensors by dtype and shape)
};

// Whether the bytes begin as one of the two containers does.
bool is_torch_file(std::string_view bytes);

// `bytes` lives while `owner` does; views keep `owner`. UserError(Refused, id "weights.torch" or "weights.zip") with
// one sentence for the first defect: a pickle that would run code, no state dict, a tensor that reaches beyond its
// storage, a storage beyond the file, big-endian data.
TorchFile read_torch_file(std::string_view bytes, const std::shared_ptr<const void>& owner, const std::string& name);

}  // namespace diopter::weights
