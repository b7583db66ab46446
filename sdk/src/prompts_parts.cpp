// Parts of a prompt set: batches, groups, selections, splits, the two sides of pairs.
#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/hash.hpp"
#include "base/hints.hpp"
#include "prompts_data.hpp"

namespace diopter {
inline namespace abi1 {
namespace {

using prompts::Data;

// A forward of this many tokens keeps activations of small models within caches and those of large ones within memory.
constexpr Index kBatchTokens = 8192;
constexpr Index kBatchRows = 64;

// Places of rows with equal keys, keys in the order they first appear.
template <class Key>
std::vector<std::vector<Index>> grouped(const std::vector<Key>& keys) {
  std::vector<std::vector<Index>> groups;
  std::map<Key, std::size_t> group_of;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto [at, is_new] = group_of.emplace(keys[i], groups.size());
    if (is_new) groups.emplace_back();
    groups[at->second].push_back(static_cast<Index>(i));
  }
  return groups;
}

Prompts one_side(const Prompts& whole, Data::Side side) {
  const Data& data = *whole.data();
  if (!data.has_pairs) {
    throw Error(prompts::set_name(data) + " have no 'corrupted' text; add it to every row");
  }
  auto made = std::make_shared<Data>(data);
  made->side = side;
  return Prompts(std::shared_ptr<const Data>(std::move(made)));
}

std::vector<std::string> units_of(const Prompts& rows, Text by) {
  if (rows.has(by)) return rows.column(by);
  if (by != "unit") rows.column(by);  // throws, with the nearest name
  std::vector<std::string> units;     // without a column 'unit' each row is its own
  for (const Data::Row& row : rows.data()->rows) units.push_back(std::to_string(row.index));
  return units;
}

}  // namespace

std::vector<Prompts> Prompts::batches(Index max_rows) const {
  if (max_rows < 0) throw Error("batches(" + std::to_string(max_rows) + "): give the largest number of rows, or 0");
  using Lengths = std::pair<Index, Index>;  // of both sides: clean and corrupted rows of a batch stay unpadded too
  std::vector<Lengths> lengths;
  for (std::size_t row = 0; row < data_->rows.size(); ++row) {
    const auto other = data_->side == Data::Side::Whole ? static_cast<Index>(data_->rows[row].corrupted.size()) : 0;
    lengths.emplace_back(prompts::length_of(*data_, row), other);
  }
  std::vector<Prompts> out;
  for (const std::vector<Index>& places : grouped(lengths)) {
    const auto [own, other] = lengths[static_cast<std::size_t>(places.front())];
    const Index fitting = std::clamp(kBatchTokens / std::max<Index>(1, std::max(own, other)), Index{1}, kBatchRows);
    const auto step = static_cast<std::size_t>(max_rows > 0 ? max_rows : fitting);
    for (std::size_t i = 0; i < places.size(); i += step) {
      const std::size_t end = std::min(places.size(), i + step);
      out.push_back(prompts::picked(*data_, {places.begin() + static_cast<std::ptrdiff_t>(i),
                                             places.begin() + static_cast<std::ptrdiff_t>(end)}));
    }
  }
  return out;
}

std::vector<Prompts> Prompts::groups(Text name) const {
  std::vector<Prompts> out;
  for (const std::vector<Index>& places : grouped(column(name))) out.push_back(prompts::picked(*data_, places));
  return out;
}

Prompts Prompts::select(const Tensor& rows) const {
  if (!rows.defined() || rows.scalar_type() != at::kLong || rows.dim() != 1)
    throw Error("Prompts::select takes int64 [n]");
  const Tensor plain = rows.to(at::kCPU).contiguous();
  const auto* from = plain.const_data_ptr<Index>();
  const std::vector<Index> places(from, from + plain.numel());
  for (const Index place : places) {
    if (place < 0 || place >= size()) {
      throw Error("Prompts::select: row " + std::to_string(place) + " is out of range: there are " +
                  std::to_string(size()));
    }
  }
  return prompts::picked(*data_, places);
}

std::pair<Prompts, Prompts> Prompts::split(double test, Text by, Text stream) const {
  if (!(test > 0 && test < 1))
    throw Error("Prompts::split takes the share of test units, between 0 and 1; got " + std::to_string(test));
  const std::vector<std::string> units = units_of(*this, by);
  // Ordered by a hash of the unit's name: adding rows moves no unit that was there to the other side of another.
  std::map<std::string, std::string> unit_of_hash;
  for (const auto& unit : units) unit_of_hash.emplace(base::sha256(std::string(stream) + '\n' + unit), unit);
  const auto count = static_cast<Index>(unit_of_hash.size());
  if (count < 2) {
    throw Error(prompts::set_name(*data_) + " have " + std::to_string(count) + " distinct values of " +
                base::quoted(by) + "; splitting them needs at least 2");
  }
  const Index test_count = std::clamp<Index>(std::llround(test * static_cast<double>(count)), 1, count - 1);
  std::map<std::string, bool> in_test;
  Index rank = 0;
  for (const auto& [hash, unit] : unit_of_hash) in_test[unit] = rank++ < test_count;
  std::vector<Index> sides[2];
  for (std::size_t i = 0; i < units.size(); ++i) sides[in_test[units[i]]].push_back(static_cast<Index>(i));
  return {prompts::picked(*data_, sides[0]), prompts::picked(*data_, sides[1])};
}

Prompts Prompts::clean() const { return one_side(*this, Data::Side::Clean); }
Prompts Prompts::corrupted() const { return one_side(*this, Data::Side::Corrupted); }

}  // namespace abi1
}  // namespace diopter
