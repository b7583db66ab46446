// Which of a pair of prompts is run and which gives values, and what is put in place: parameters that the kinds of this
// plugin share.
#pragma once

#include <diopter/plugin.hpp>

#include <string>

namespace diopter::patching {

inline constexpr Row kDirection =
    param("direction", Choice,
          {.fallback = "'denoise'",
           .choices = "denoise|noise",
           .doc = "denoise: clean values into the corrupted run; noise: the other way round."});
inline constexpr Row kReplaceBy =
    param("replace_by", Choice,
          {.fallback = "'donor'",
           .choices = "donor|zero|mean",
           .doc = "The other prompt's value, zero, or the mean over the base run's prompts."});

struct Sides {
  bool denoise;
  Prompts base, donor;  // base is run, donor gives values; row i of one belongs to row i of the other
  Prompts reference;    // whose mean replaces: the base run's prompts, all of them

  explicit Sides(Context& ctx)
      : denoise(ctx.params().get<std::string>("direction") == "denoise"),
        base(denoise ? ctx.prompts().corrupted() : ctx.prompts().clean()),
        donor(denoise ? ctx.prompts().clean() : ctx.prompts().corrupted()),
        reference(base) {}

  std::string base_name() const { return denoise ? "corrupted" : "clean"; }
  std::string donor_name() const { return denoise ? "clean" : "corrupted"; }

  Change change(Text replace_by) const {
    if (replace_by == "zero") return Change::zero();
    return replace_by == "mean" ? Change::mean(reference) : Change::replace(donor);
  }

  // Some of the pairs, int64 [n]; the reference stays.
  Sides select(const Tensor& rows) const {
    Sides out = *this;
    out.base = base.select(rows);
    out.donor = donor.select(rows);
    return out;
  }
};

}  // namespace diopter::patching
