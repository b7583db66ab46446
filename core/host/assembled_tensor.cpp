#include "host/assembled_tensor.hpp"

#include <ATen/ATen.h>
#include <ATen/TensorIndexing.h>

#include <algorithm>

#include <diopter/error.hpp>

#include "base/hints.hpp"
#include "host/dim_labels.hpp"

namespace diopter::host {
namespace {

constexpr std::int64_t kMostCells = std::int64_t{1} << 31;

// All coordinates along one dimension: numbers of layers, heads, rows, positions ascending, others as they came.
class Coordinates {
 public:
  void add(const Key& key) {
    if (index_.emplace(key, 0).second) keys_.push_back(key);
  }
  void freeze() {
    const bool integers =
        std::all_of(keys_.begin(), keys_.end(), [](const Key& k) { return std::holds_alternative<std::int64_t>(k); });
    if (integers) std::sort(keys_.begin(), keys_.end());
    for (std::size_t i = 0; i < keys_.size(); ++i) index_[keys_[i]] = static_cast<std::int64_t>(i);
  }
  std::int64_t of(const Key& key) const { return index_.at(key); }
  const std::vector<Key>& keys() const { return keys_; }
  std::int64_t size() const { return static_cast<std::int64_t>(keys_.size()); }

 private:
  std::vector<Key> keys_;
  std::map<Key, std::int64_t> index_;
};

std::vector<Coordinates> all_coordinates(const std::vector<Piece>& pieces) {
  std::vector<Coordinates> out(pieces.front().dims.size());
  for (const Piece& piece : pieces) {
    for (std::size_t d = 0; d < out.size(); ++d) {
      for (const Key& key : piece.dims[d].keys) out[d].add(key);
    }
  }
  for (Coordinates& coordinates : out) coordinates.freeze();
  return out;
}

at::Scalar padding_of(at::ScalarType type) {
  if (at::isFloatingType(type)) return std::numeric_limits<double>::quiet_NaN();
  return type == at::kBool ? at::Scalar(false) : at::Scalar(-1);
}

bool has_prompts(const Piece& piece) {
  return std::any_of(piece.dims.begin(), piece.dims.end(), [](const PieceDim& dim) { return dim.name == "prompt"; });
}

// Rows of a batch have no positions beyond their length; their cells there exist and are empty.
at::Tensor padded(const Piece& piece, const std::vector<Coordinates>& coordinates, at::ScalarType type) {
  at::Tensor value = piece.value.to(type);
  if (!has_prompts(piece)) return value;
  std::vector<std::int64_t> amounts;  // from the last dimension
  bool any = false;
  for (std::size_t d = piece.dims.size(); d-- > 0;) {
    const PieceDim& dim = piece.dims[d];
    const bool pad = dim.natural && is_position(dim.name);
    const std::int64_t missing = pad ? coordinates[d].size() - static_cast<std::int64_t>(dim.keys.size()) : 0;
    amounts.insert(amounts.end(), {0, missing});
    any = any || missing > 0;
  }
  return any ? at::constant_pad_nd(value, amounts, padding_of(type)) : value;
}

// Index tensors that broadcast to the place of a (padded) piece.
std::vector<at::indexing::TensorIndex> place_of(const Piece& piece, const at::Tensor& value,
                                                const std::vector<Coordinates>& coordinates) {
  std::vector<at::indexing::TensorIndex> out;
  for (std::size_t d = 0; d < piece.dims.size(); ++d) {
    const std::int64_t size = value.size(static_cast<std::int64_t>(d));
    at::Tensor index;
    if (size > static_cast<std::int64_t>(piece.dims[d].keys.size())) {
      index = at::arange(size, at::kLong);  // padded: the whole dimension
    } else {
      std::vector<std::int64_t> places;
      for (const Key& key : piece.dims[d].keys) places.push_back(coordinates[d].of(key));
      index = at::tensor(places, at::kLong);
    }
    std::vector<std::int64_t> shape(piece.dims.size(), 1);
    shape[d] = size;
    out.emplace_back(index.reshape(shape));
  }
  return out;
}

std::string cell_name(std::int64_t flat, const std::vector<PieceDim>& dims,
                      const std::vector<Coordinates>& coordinates) {
  std::vector<std::string> words(dims.size());
  for (std::size_t d = dims.size(); d-- > 0;) {
    words[d] =
        dims[d].name + " " + shown(coordinates[d].keys()[static_cast<std::size_t>(flat % coordinates[d].size())]);
    flat /= coordinates[d].size();
  }
  return words.empty() ? std::string("its only cell") : base::join(words);
}

std::int64_t first_true(const at::Tensor& mask) { return mask.flatten().to(at::kByte).argmax().item<std::int64_t>(); }

}  // namespace

AssembledTensor::AssembledTensor(std::string what, std::vector<DimNames> alternatives)
    : what_(std::move(what)), alternatives_(std::move(alternatives)) {}

void AssembledTensor::add(const at::Tensor& value, const Labels& labels, const PieceFacts& facts) {
  const std::size_t only = pieces_.empty() ? kAny : pieces_.front().alternative;
  pieces_.push_back(make_piece(what_, alternatives_, only, value, labels, facts));
}

AssembledTensor::Whole AssembledTensor::whole() const {
  const std::vector<Coordinates> coordinates = all_coordinates(pieces_);
  std::vector<std::int64_t> shape;
  std::int64_t cells = 1;
  for (const Coordinates& dim : coordinates) {
    shape.push_back(dim.size());
    cells *= dim.size();
    if (cells > kMostCells) throw Error(what_ + " has more than 2^31 cells; log a part of it");
  }
  at::ScalarType type = pieces_.front().value.scalar_type();
  for (const Piece& piece : pieces_) type = at::promote_types(type, piece.value.scalar_type());

  at::Tensor value = at::full(shape, padding_of(type), type);
  at::Tensor times = at::zeros(shape, at::kByte);  // how often each cell was written, at most 2
  const std::vector<PieceDim>& dims = pieces_.front().dims;
  for (const Piece& piece : pieces_) {
    const at::Tensor part = padded(piece, coordinates, type);
    at::Tensor before = times;  // of this piece's cells
    if (part.dim() == 0) {
      before = times.clone();
      value.copy_(part);
      times.add_(1);
    } else {
      const auto place = place_of(piece, part, coordinates);
      before = times.index(place);
      value.index_put_(place, part);
      times.index_put_(place, before.add(1));
    }
    if (before.any().item<bool>()) {
      throw Error(what_ + " was written twice at " + cell_name(first_true(times > 1), dims, coordinates));
    }
  }
  const at::Tensor never = times == 0;
  if (const auto missing = never.sum().item<std::int64_t>(); missing > 0) {
    throw Error(what_ + " was never written at " + cell_name(first_true(never), dims, coordinates) + " (" +
                std::to_string(missing) + " of " + std::to_string(cells) + " cells are missing)");
  }

  Whole whole{value.contiguous(), {}};
  const DimLabels labels(pieces_);
  for (std::size_t d = 0; d < coordinates.size(); ++d)
    whole.dims.push_back(labels.dim(dims[d].name, coordinates[d].keys()));
  return whole;
}

}  // namespace diopter::host
