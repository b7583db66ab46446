// Arrays for other programs: numpy's .npy and .npz, safetensors, CSV. The form follows the file's ending.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "report/figure.hpp"

namespace diopter::cli {

struct NamedArray {
  std::string name;
  std::string dtype;  // as in the store: f64 f32 f16 bf16 i64 i32 i16 i8 u8 bool
  std::vector<std::int64_t> shape;
  std::string bytes;               // row-major, little-endian
  std::vector<report::Axis> dims;  // CSV: one column per dimension; may be empty
};

// UserError(Usage) for an unknown ending, or when .npy or .csv is asked to hold several arrays.
void write_arrays(const std::filesystem::path& file, const std::vector<NamedArray>& arrays);
void require_known_ending(const std::filesystem::path& file);  // before anything is computed

std::string npz_bytes(const std::vector<NamedArray>& arrays);  // stored, not compressed; the same bytes every time
std::string safetensors_bytes(const std::vector<NamedArray>& arrays);
// One line per cell: an index column per dimension (and NAME_label where it has labels), then the value.
std::string csv_bytes(const NamedArray& array);

}  // namespace diopter::cli
