// Which position of one text belongs to which of the other.
#include <ATen/ATen.h>

#include "base/hints.hpp"
#include "prompts_data.hpp"

namespace diopter {
inline namespace abi1 {
namespace {

using prompts::Data;

const char* side_name(Data::Side side, const char* whole) {
  return side == Data::Side::Clean ? "clean" : side == Data::Side::Corrupted ? "corrupted" : whole;
}

std::string listing(const Data& data, std::size_t row, const char* name) {
  std::string line = "\n  " + std::string(name);
  line.resize(std::max<std::size_t>(line.size(), 14), ' ');
  if (data.values.defined()) return line + std::to_string(prompts::length_of(data, row)) + " positions of numbers";
  return line + prompts::shown(data, prompts::tokens_of(data, row));
}

[[noreturn]] void refuse(const Data& mine, const Data& theirs, std::size_t row) {
  const char* here = side_name(mine.side, "this");
  const char* there = side_name(theirs.side, "the other");
  throw Error(
      prompts::row_name(mine, row) + " has " + std::to_string(prompts::length_of(mine, row)) + " positions (" + here +
      ") and " + std::to_string(prompts::length_of(theirs, row)) + " (" + there +
      "), so it is unknown which belong together; use texts of equal length, align = \"end\" or a column 'map'" +
      listing(mine, row, here) + listing(theirs, row, there));
}

// Pairs are (clean, corrupted); read from the side that asks.
bool declared_map(const Data& mine, const Data& theirs) {
  return mine.align == Data::Align::Map && mine.side != theirs.side && mine.side != Data::Side::Whole &&
         theirs.side != Data::Side::Whole;
}

}  // namespace

Tensor Prompts::aligned_to(const Prompts& other) const {
  const Data& mine = *data_;
  const Data& theirs = *other.data_;
  if (size() != other.size()) {
    throw Error(prompts::set_name(mine) + " has " + std::to_string(size()) + " rows and " + prompts::set_name(theirs) +
                " has " + std::to_string(other.size()) + "; rows are aligned one to one");
  }
  std::vector<std::vector<Index>> rows(mine.rows.size());
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const Index length = prompts::length_of(mine, row), target = prompts::length_of(theirs, row);
    rows[row].assign(static_cast<std::size_t>(length), kUnset);
    if (declared_map(mine, theirs)) {
      for (const auto& [clean, corrupted] : mine.map[row]) {
        const Index here = mine.side == Data::Side::Clean ? clean : corrupted;
        const Index there = mine.side == Data::Side::Clean ? corrupted : clean;
        if (here >= 0 && here < length && there >= 0 && there < target)
          rows[row][static_cast<std::size_t>(here)] = there;
      }
      continue;
    }
    if (length != target && mine.align != Data::Align::End) refuse(mine, theirs, row);
    for (Index pos = 0; pos < length; ++pos) {
      const Index there = pos + target - length;  // counted from the end; equal lengths: the same position
      if (there >= 0) rows[row][static_cast<std::size_t>(pos)] = there;
    }
  }
  return prompts::padded(rows, kUnset);
}

}  // namespace abi1
}  // namespace diopter
