// Which of a repository's files make the model.
#pragma once

#include <string>
#include <vector>

namespace diopter::hub {

// Of the files at the top of the repository: config.json, generation_config.json, the tokenizer's, and one set of
// weights: model.safetensors; else model.safetensors.index.json with its shards; else other *.safetensors; only without
// any of these PyTorch's (pytorch_model.bin, its index with shards, else *.bin, *.pt, *.pth that are not a trainer's
// state). Never programs, never another framework's weights. Sorted. A shard is what is named as one
// (model-00001-of-00002.safetensors): the index is not yet here to be asked.
std::vector<std::string> model_files_of(const std::vector<std::string>& names);

// Those that match one of the shell patterns ('*' matches '/' too, "folder/" means all below, as for hf download
// --include), sorted. UserError(NoMatch) naming a pattern that matches nothing.
std::vector<std::string> matching_files(const std::vector<std::string>& names,
                                        const std::vector<std::string>& patterns);

}  // namespace diopter::hub
