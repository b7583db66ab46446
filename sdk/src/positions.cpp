#include <ATen/ATen.h>

#include <diopter/error.hpp>
#include <diopter_host/specs.hpp>

namespace diopter {
inline namespace abi1 {
namespace {

std::shared_ptr<const PositionsSpec> one(PositionsSpec::Term term) {
  auto spec = std::make_shared<PositionsSpec>();
  spec->terms.push_back(std::move(term));
  return spec;
}

}  // namespace

Positions::Positions() {
  static const std::shared_ptr<const PositionsSpec> all = one(PositionsSpec::All{});
  spec_ = all;
}

Positions::Positions(std::initializer_list<Index> indices) : Positions(std::vector<Index>(indices)) {}

Positions::Positions(std::vector<Index> indices) : spec_(one(PositionsSpec::Indices{std::move(indices)})) {}

Positions::Positions(std::shared_ptr<const PositionsSpec> spec) : spec_(std::move(spec)) {}

Positions Positions::per_row(Tensor indices) {
  if (!indices.defined() || indices.scalar_type() != at::kLong || indices.dim() < 1 || indices.dim() > 2) {
    throw Error("Positions::per_row takes int64 [prompt] or [prompt, n]");
  }
  if (indices.dim() == 1) indices = indices.unsqueeze(1);
  return Positions(one(PositionsSpec::PerRow{indices.to(at::kCPU).contiguous().clone()}));
}

Positions Positions::token(Text text, Index occurrence, Index offset) {
  if (occurrence == 0) throw Error("Positions::token counts occurrences from 1, or from the end with -1; got 0");
  return Positions(one(PositionsSpec::Token{std::string(text), occurrence, offset}));
}

Positions Positions::last() { return Positions({-1}); }
Positions Positions::prompt() { return Positions(one(PositionsSpec::PromptPart{})); }
Positions Positions::generated() { return Positions(one(PositionsSpec::Generated{})); }
Positions Positions::from(Index first) { return Positions(one(PositionsSpec::From{first})); }

Positions Positions::operator|(const Positions& other) const {
  if (is_all() || other.is_all()) return Positions();
  auto both = std::make_shared<PositionsSpec>(*spec_);
  both->terms.insert(both->terms.end(), other.spec_->terms.begin(), other.spec_->terms.end());
  return Positions(std::shared_ptr<const PositionsSpec>(std::move(both)));
}

bool Positions::is_all() const {
  for (const auto& term : spec_->terms) {
    if (std::holds_alternative<PositionsSpec::All>(term)) return true;
  }
  return false;
}

}  // namespace abi1
}  // namespace diopter
