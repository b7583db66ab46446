// Which files of a folder hold a model's weights.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace diopter::weights {

// A file of weights or an index. `path` itself if it is a file; of a folder the first that is there of
// model.safetensors, model.safetensors.index.json, pytorch_model.bin, pytorch_model.bin.index.json (transformers'
// order), ckpt.pt, model.pth, model.pt; else its only *.safetensors, *.pt, *.pth or *.bin that holds weights by its
// name (not optimizer.pt, training_args.bin ...). UserError(Refused): none, or several to choose from.
std::filesystem::path find_checkpoint(const std::filesystem::path& path);

// Tensor -> shard, as an index says. Shards are plain names of files beside it. UserError(Refused) for others.
std::map<std::string, std::string> read_weight_map(const std::filesystem::path& index);

// find_checkpoint's file, or index and shards: what identifies the weights. Sorted.
std::vector<std::filesystem::path> checkpoint_files(const std::filesystem::path& path);

}  // namespace diopter::weights
