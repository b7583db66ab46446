#include "engine/row_positions.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>

#include <diopter/error.hpp>
#include <diopter_host/specs.hpp>

#include "base/hints.hpp"

namespace diopter::engine {
namespace {

// The positions first .. end - 1 of one row that a dimension shows: place i is position first + i.
struct Shown {
  Index first, end, prompt;  // `prompt`: length of the row's prompt
};

Shown shown_of(const RowBatch& batch, Index row, Dimension dimension) {
  const Index prompt = batch.prompt_length(row);
  if (!batch.step) return {0, prompt, prompt};
  const Index position = batch.step->position[static_cast<std::size_t>(row)];
  return {dimension == Dimension::Keys ? 0 : position, position + 1, prompt};
}

class RowResolver {
 public:
  RowResolver(const RowBatch& batch, Index row, const TokenCodec* codec, Dimension dimension)
      : batch_(batch), row_(row), codec_(codec), shown_(shown_of(batch, row, dimension)) {}

  void operator()(const PositionsSpec::All&) { range(0, shown_.end); }
  void operator()(const PositionsSpec::PromptPart&) { range(0, shown_.prompt); }
  void operator()(const PositionsSpec::Generated&) { range(shown_.prompt, shown_.end); }
  void operator()(const PositionsSpec::From& term) {
    range(term.first < 0 ? std::max<Index>(0, term.first + shown_.prompt) : term.first, shown_.end);
  }
  void operator()(const PositionsSpec::Indices& term) {
    for (const Index index : term.values) add(from_end(index));
  }
  void operator()(const PositionsSpec::PerRow& term) {
    if (term.values.size(0) != batch_.call_rows) {
      throw Error(fmt::format("positions were given for {} rows, but there are {} prompts", term.values.size(0),
                              batch_.call_rows));
    }
    const auto values = term.values.accessor<Index, 2>();
    for (Index i = 0; i < term.values.size(1); ++i) {
      const Index index = values[batch_.call_row(row_)][i];
      add(index == kUnset ? kUnset : from_end(index));
    }
  }
  void operator()(const PositionsSpec::Token& term) {
    if (codec_ == nullptr)
      throw Error(fmt::format("positions name the token {}, but there is no tokenizer", base::quoted(term.text)));
    const std::vector<Index> found = places_of(single_token(*codec_, term.text));
    const Index count = static_cast<Index>(found.size());
    const Index which = term.occurrence > 0 ? term.occurrence - 1 : count + term.occurrence;
    if (which < 0 || which >= count) {
      throw Error(fmt::format("prompt {} has the token {} {} times, but positions ask for occurrence {}",
                              batch_.call_row(row_), base::quoted(term.text), count, term.occurrence));
    }
    add(found[static_cast<std::size_t>(which)] + term.offset);
  }

  std::vector<Index> take() { return std::move(out_); }

 private:
  Index from_end(Index index) const {
    if (index >= 0) return index;
    return index + shown_.prompt >= 0 ? index + shown_.prompt : kUnset;
  }
  std::vector<Index> places_of(Index token) const {  // in the prompt
    const RowBatch& prompts = batch_.step ? *batch_.step->prompts : batch_;
    const Index row = batch_.step ? batch_.step->prompt[static_cast<std::size_t>(row_)] : row_;
    const auto ids = prompts.ids.accessor<Index, 2>();
    std::vector<Index> found;
    for (Index pos = 0; pos < shown_.prompt; ++pos) {
      if (ids[row][pos] == token) found.push_back(pos);
    }
    return found;
  }
  void range(Index first, Index end) {
    const bool search = !out_.empty();
    for (Index pos = std::max(first, shown_.first); pos < std::min(end, shown_.end); ++pos)
      search ? add(pos) : out_.push_back(pos - shown_.first);
  }
  void add(Index pos) {
    const Index place = pos >= shown_.first && pos < shown_.end ? pos - shown_.first : kUnset;
    if (place == kUnset || std::find(out_.begin(), out_.end(), place) == out_.end()) out_.push_back(place);
  }

  const RowBatch& batch_;
  Index row_;
  const TokenCodec* codec_;
  Shown shown_;
  std::vector<Index> out_;
};

std::string range_text(const std::vector<Index>& values) {
  const bool consecutive = values.size() > 2 &&
                           values.back() - values.front() + 1 == static_cast<Index>(values.size()) &&
                           std::is_sorted(values.begin(), values.end());
  if (consecutive) return fmt::format("{}..{}", values.front(), values.back());
  std::vector<std::string> words;
  for (const Index value : values) words.push_back(std::to_string(value));
  return base::join(words);
}

struct TermText {
  std::string operator()(const PositionsSpec::All&) const { return "all"; }
  std::string operator()(const PositionsSpec::PromptPart&) const { return "the prompt"; }
  std::string operator()(const PositionsSpec::Generated&) const { return "generated tokens"; }
  std::string operator()(const PositionsSpec::From& term) const { return fmt::format("{}..", term.first); }
  std::string operator()(const PositionsSpec::Indices& term) const { return range_text(term.values); }
  std::string operator()(const PositionsSpec::PerRow&) const { return "given for each row"; }
  std::string operator()(const PositionsSpec::Token& term) const {
    return fmt::format("{}{:+d} of token {}", term.occurrence, term.offset, base::quoted(term.text));
  }
};

}  // namespace

bool RowPositions::empty(Index row) const { return last(row) == kUnset; }

Index RowPositions::last(Index row) const {
  const auto& slots_of_row = of[static_cast<std::size_t>(row)];
  return slots_of_row.empty()
             ? kUnset
             : *std::max_element(slots_of_row.begin(), slots_of_row.end());  // kUnset is the least Index
}

Index RowPositions::first(Index row) const {
  Index least = kUnset;
  for (const Index pos : of[static_cast<std::size_t>(row)]) {
    if (pos != kUnset && (least == kUnset || pos < least)) least = pos;
  }
  return least;
}

RowPositions resolve(const Positions& positions, const RowBatch& batch, const TokenCodec* codec, Dimension dimension) {
  RowPositions out;
  for (Index row = 0; row < batch.size(); ++row) {
    RowResolver resolver(batch, row, codec, dimension);
    for (const auto& term : positions.spec().terms) std::visit(resolver, term);
    out.of.push_back(resolver.take());
    out.slots = std::max(out.slots, static_cast<Index>(out.of.back().size()));
  }
  for (auto& row : out.of) row.resize(static_cast<std::size_t>(out.slots), kUnset);
  return out;
}

bool left_out(const Where& where, const RowBatch& batch, Index row) {
  for (const Positions* positions : {&where.positions, &where.sources}) {
    const auto& terms = positions->spec().terms;
    const bool unset = std::all_of(terms.begin(), terms.end(), [&](const PositionsSpec::Term& term) {
      const auto* per_row = std::get_if<PositionsSpec::PerRow>(&term);
      return per_row != nullptr && per_row->values.select(0, batch.call_row(row)).eq(kUnset).all().item<bool>();
    });
    if (unset) return true;
  }
  return false;
}

std::string text_of(const Positions& positions) {
  std::vector<std::string> words;
  for (const auto& term : positions.spec().terms) words.push_back(std::visit(TermText{}, term));
  return base::join(words);
}

at::Tensor mask_of(const RowPositions& positions, Index size) {
  const auto rows = static_cast<Index>(positions.of.size());
  at::Tensor mask = at::zeros({rows, size}, at::kBool);
  auto cells = mask.accessor<bool, 2>();
  for (Index row = 0; row < rows; ++row) {
    for (const Index pos : positions.of[static_cast<std::size_t>(row)]) {
      if (pos != kUnset) cells[row][pos] = true;
    }
  }
  return mask;
}

}  // namespace diopter::engine
