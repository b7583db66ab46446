#include "engine/train_stream.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>

#include <algorithm>

#include "engine/train.hpp"

namespace diopter::engine {
namespace {

// Right-padded to the longest row of the batch.
Batch batch_of(std::size_t first, std::size_t last, const auto& rows) {
  std::size_t longest = 0;
  for (std::size_t r = first; r < last; ++r) longest = std::max(longest, rows[r].ids.size());
  const auto padded = [&](auto member) {
    at::Tensor out = at::full({static_cast<Index>(last - first), static_cast<Index>(longest)}, -1, at::kLong);
    auto* to = out.mutable_data_ptr<Index>();
    for (std::size_t r = first; r < last; ++r, to += longest)
      std::copy((rows[r].*member).begin(), (rows[r].*member).end(), to);
    return out;
  };
  using Row = std::remove_cvref_t<decltype(rows[0])>;
  return {padded(&Row::ids), padded(&Row::targets)};
}

std::uint64_t drawn_seed(at::Generator& generator) {
  return static_cast<std::uint64_t>(at::empty({1}, at::kLong).random_(generator).item<Index>());
}

}  // namespace

TrainStream::TrainStream(Prompts data, const StreamOptions& options, at::Generator generator)
    : data_(std::move(data)), options_(options), seed_(drawn_seed(generator)) {
  const PromptsData& set = *data_.data();
  if (set.rows.empty() || set.values.defined())
    throw Error("a stream needs documents of token ids; this data set has none.");
  if (options.rows < 1 || options.micro_rows < 0 || options.length < 0)
    throw Error("a stream needs rows >= 1, and micro_rows and length >= 0.");
  Index longest = 0;
  for (std::size_t row = 0; row < set.rows.size(); ++row) {
    if (set.rows[row].tokens.size() < 2) {
      throw Error(fmt::format("document {} has {} ids; a document needs two, so that one can be predicted.", row,
                              set.rows[row].tokens.size()));
    }
    longest = std::max(longest, std::ssize(set.rows[row].tokens));
  }
  if (const auto found = set.numbers.find("counted"); found != set.numbers.end()) {
    counted_ = found->second.to(at::kBool).contiguous();
    if (counted_.dim() != 2 || counted_.size(1) < longest) {
      throw Error(
          fmt::format("column 'counted' needs the shape [document, pos] = [{}, {}].", set.rows.size(), longest));
    }
  }
  permute();
}

void TrainStream::permute() {
  auto generator = at::make_generator<at::CPUGeneratorImpl>(seed_ + static_cast<std::uint64_t>(place_.epoch));
  const at::Tensor order = at::randperm(data_.size(), generator, at::kLong);
  order_.assign(order.const_data_ptr<Index>(), order.const_data_ptr<Index>() + order.numel());
}

Index TrainStream::take_document() {
  if (place_.document == std::ssize(order_)) {
    place_ = {.epoch = place_.epoch + 1};
    permute();
  }
  return order_[static_cast<std::size_t>(place_.document++)];
}

bool TrainStream::counts(Index document, std::size_t id) const {
  return !counted_.defined() || counted_.const_data_ptr<bool>()[document * counted_.size(1) + static_cast<Index>(id)];
}

TrainStream::Row TrainStream::document_row(Index document) const {
  const std::vector<Index>& ids = data_.data()->rows[static_cast<std::size_t>(document)].tokens;
  Row row;
  for (std::size_t i = 0; i + 1 < ids.size(); ++i) {
    row.ids.push_back(ids[i]);
    row.targets.push_back(counts(document, i + 1) ? ids[i + 1] : -1);
  }
  return row;
}

// `length` ids and the one after them; a document goes on in the next row. The last id of a row opens the next one, so
// that each is a target once.
TrainStream::Row TrainStream::packed_row() {
  Row row;
  while (std::ssize(row.ids) < options_.length) {
    const Index document = take_document();
    const std::vector<Index>& ids = data_.data()->rows[static_cast<std::size_t>(document)].tokens;
    std::size_t i = static_cast<std::size_t>(place_.id);
    for (; i < ids.size() && std::ssize(row.ids) < options_.length; ++i) {
      row.ids.push_back(ids[i]);
      row.targets.push_back(i + 1 < ids.size() && counts(document, i + 1) ? ids[i + 1] : -1);
    }
    place_.id = i < ids.size() ? static_cast<Index>(i) : 0;
    if (place_.id != 0) --place_.document;  // not finished
  }
  return row;
}

std::vector<Batch> TrainStream::next() {
  std::vector<Row> rows;
  for (Index r = 0; r < options_.rows; ++r)
    rows.push_back(options_.length > 0 ? packed_row() : document_row(take_document()));
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.ids.size() < b.ids.size(); });
  const std::size_t micro = options_.micro_rows > 0 ? static_cast<std::size_t>(options_.micro_rows) : rows.size();
  std::vector<Batch> out;
  for (std::size_t first = 0; first < rows.size(); first += micro)
    out.push_back(batch_of(first, std::min(first + micro, rows.size()), rows));
  return out;
}

base::Json TrainStream::state() const {
  return {{"seed", seed_},
          {"documents", data_.size()},
          {"epoch", place_.epoch},
          {"document", place_.document},
          {"id", place_.id}};
}

bool TrainStream::restore(const base::Json& state) {
  if (state.value("seed", std::uint64_t{0}) != seed_ || state.value("documents", Index{-1}) != data_.size())
    return false;
  place_ = {.epoch = state.at("epoch"), .document = state.at("document"), .id = state.at("id")};
  permute();
  return true;
}

std::shared_ptr<StreamBackend> make_stream(const Prompts& data, const StreamOptions& options, at::Generator generator) {
  return std::make_shared<TrainStream>(data, options, std::move(generator));
}

}  // namespace diopter::engine
