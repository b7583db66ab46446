#include "weights/safetensors_file.hpp"

#include <bit>

#include "base/mapped_file.hpp"
#include "weights/safetensors_header.hpp"

namespace diopter::weights {

static_assert(std::endian::native == std::endian::little, "safetensors data is little-endian and is used as mapped");

SafetensorsFile::SafetensorsFile(const std::filesystem::path& file) : path_(file) {
  const auto mapping = std::make_shared<const base::MappedFile>(file);
  SafetensorsHeader header = parse_safetensors_header(mapping->bytes(), file.string());
  const std::string_view data = mapping->bytes().substr(header.data_start);
  for (StoredTensor& t : header.tensors) {
    tensors_.emplace(std::move(t.name),
                     TensorView{t.dtype, std::move(t.shape), data.substr(t.begin, t.end - t.begin), mapping});
  }
  metadata_ = std::move(header.metadata);
}

}  // namespace diopter::weights
