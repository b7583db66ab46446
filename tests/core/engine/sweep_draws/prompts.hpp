// Two texts a row, into one of which the other is patched.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <diopter_host/specs.hpp>

#include "core/engine/support.hpp"
#include "core/engine/sweep_draws/models.hpp"

namespace diopter::engine::testing::draws {

// Whether the rows of a sweep always run side by side: in batches for want of memory, or alone where cells are
// verified, a row has fewer positions beside it, and a tensor with an entry for each position of the longest fits no
// more.
enum class Rows { Together, Alone, Batched };

struct DrawnPrompts {
  Prompts into, donor;  // row i of one belongs to row i of the other
  at::Tensor align;     // undefined: as the prompts say themselves
  bool equal_lengths = true;
  bool aligned = true;  // without `align` too
  Index shortest = 1;   // tokens of the shortest row of either
  at::Tensor answer;    // int64 [prompt, choice], -1 pads
  std::string text;     // what was drawn, for messages

  Index rows() const { return into.size(); }
  Index longest() const { return into.lengths().max().item<Index>(); }
};

inline at::Tensor padded(const std::vector<std::vector<Index>>& rows) {
  std::size_t longest = 0;
  for (const auto& row : rows) longest = std::max(longest, row.size());
  at::Tensor ids = at::full({static_cast<Index>(rows.size()), static_cast<Index>(longest)}, -1, at::kLong);
  for (std::size_t row = 0; row < rows.size(); ++row) {
    ids.select(0, static_cast<Index>(row)).narrow(0, 0, static_cast<Index>(rows[row].size())).copy_(ints(rows[row]));
  }
  return ids;
}

inline std::vector<Index> draw_row(Index length) {
  std::vector<Index> row;
  for (Index pos = 0; pos < length; ++pos) row.push_back(below(kVocabulary));
  return row;
}

enum class Share { Prefix, OneToken, Some, Nothing, Everything };

inline std::vector<Index> corrupted_row(std::vector<Index> row, Share share) {
  const auto length = static_cast<Index>(row.size());
  const Index first = below(length);
  for (Index pos = 0; pos < length; ++pos) {
    const bool keep = (share == Share::Prefix && pos < first) || (share == Share::OneToken && pos != first) ||
                      (share == Share::Some && coin()) || share == Share::Everything;
    Index& token = row[static_cast<std::size_t>(pos)];
    if (!keep) token = (token + 1 + below(kVocabulary - 1)) % kVocabulary;
  }
  return row;
}

// int64 [prompt, pos of into]: mostly in order, with positions that have no counterpart.
inline at::Tensor draw_align(const at::Tensor& into_lengths, const at::Tensor& donor_lengths) {
  const Index rows = into_lengths.numel(), longest = into_lengths.max().item<Index>();
  at::Tensor align = at::full({rows, longest}, kUnset, at::kLong);
  auto places = align.accessor<Index, 2>();
  const bool anywhere = rarely(4);
  for (Index row = 0; row < rows; ++row) {
    const Index here = into_lengths[row].item<Index>(), there = donor_lengths[row].item<Index>();
    const Index shift = rarely(3) ? between(-2, 2) : 0;
    for (Index pos = 0; pos < here; ++pos) {
      const Index other = anywhere ? below(there) : pos + shift;
      if (other >= 0 && other < there && !rarely(6)) places[row][pos] = other;
    }
  }
  return align;
}

inline Prompts aligned_at_end(const Prompts& pairs) {
  auto data = std::make_shared<PromptsData>(*pairs.data());
  data->align = PromptsData::Align::End;
  return Prompts(std::shared_ptr<const PromptsData>(std::move(data)));
}

inline at::Tensor draw_answers(Index rows) {
  std::vector<std::vector<Index>> answers;
  const bool sets = rarely(5);
  for (Index row = 0; row < rows; ++row) answers.push_back(some_below(kVocabulary, sets ? between(1, 3) : 1));
  return padded(answers);
}

struct PromptNeeds {
  Index least_tokens = 1;
  bool equal_lengths = false;
};

inline DrawnPrompts draw_prompts(const PromptNeeds& needs) {
  static const std::vector<std::string> kShares = {"a prefix", "all but one token", "some tokens", "nothing",
                                                   "everything"};
  DrawnPrompts out;
  const auto share = static_cast<Share>(pick<Index>({0, 1, 2, 3, 0, 1, 2, 3, 4}));
  out.equal_lengths = needs.equal_lengths || !rarely(5);
  std::vector<std::vector<Index>> clean, corrupted;
  const Index rows = between(1, 4);
  const bool same_length = rarely(4);
  const Index length = between(needs.least_tokens, kLongest);
  for (Index row = 0; row < rows; ++row) {
    clean.push_back(draw_row(same_length ? length : between(needs.least_tokens, kLongest)));
    corrupted.push_back(corrupted_row(clean.back(), share));
    if (!out.equal_lengths) {
      auto& other = corrupted.back();
      const auto shorter = static_cast<std::size_t>(
          between(needs.least_tokens, std::min<Index>(kLongest, static_cast<Index>(other.size()) + 2)));
      while (other.size() < shorter) other.push_back(below(kVocabulary));
      other.resize(shorter);
    }
  }
  out.answer = draw_answers(rows);
  Prompts pairs = Prompts::tokens(padded(clean)).with("answer", out.answer).with("foil", draw_answers(rows));
  std::string alignment = "by position";
  const bool whole = rarely(5);  // two sets of prompts, not two sides of pairs
  if (whole) {
    out.aligned = out.equal_lengths;
    out.into = pairs;
    out.donor = Prompts::tokens(padded(corrupted));
  } else {
    pairs = pairs.with("corrupted", padded(corrupted));
    const bool declared = !out.equal_lengths && coin();
    const bool map = declared && coin();
    if (map) {
      pairs = pairs.with("map", draw_align(pairs.clean().lengths(), pairs.corrupted().lengths()).clamp_min(-1));
      alignment = "by a column";
    } else if (declared) {
      pairs = aligned_at_end(pairs);
      alignment = "from the end";
    }
    const bool denoise = !coin();
    out.into = denoise ? pairs.corrupted() : pairs.clean();
    out.donor = denoise ? pairs.clean() : pairs.corrupted();
    out.aligned = out.equal_lengths || declared;
  }
  const bool given = out.equal_lengths ? rarely(6) : !out.aligned;
  if (given) {
    out.align = draw_align(out.into.lengths(), out.donor.lengths());
    alignment = "by";
    for (Index row = 0; row < rows; ++row) {
      const Index here = out.into.lengths()[row].item<Index>();
      const at::Tensor places = out.align[row].narrow(0, 0, here).contiguous();
      const Index* begin = places.const_data_ptr<Index>();
      alignment += " " + listed(std::vector<Index>(begin, begin + here));
    }
  }
  out.shortest = std::min(out.into.lengths().min().item<Index>(), out.donor.lengths().min().item<Index>());
  const auto tokens = [](const Prompts& prompts) {
    std::vector<std::string> texts;
    for (Index row = 0; row < prompts.size(); ++row) {
      const at::Tensor ids = prompts.inputs()[row];
      const at::Tensor real = ids.masked_select(ids >= 0).contiguous();
      const Index* begin = real.const_data_ptr<Index>();
      texts.push_back(fmt::format("{}", fmt::join(begin, begin + real.numel(), " ")));
    }
    return fmt::format("[{}]", fmt::join(texts, " | "));
  };
  out.text = fmt::format("{} shared, aligned {}{}; into {} donor {}", kShares[static_cast<std::size_t>(share)],
                         alignment, whole ? ", two sets" : "", tokens(out.into), tokens(out.donor));
  return out;
}

}  // namespace diopter::engine::testing::draws
