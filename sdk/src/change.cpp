#include <ATen/ATen.h>

#include <diopter/error.hpp>
#include <diopter_host/specs.hpp>

namespace diopter {
inline namespace abi1 {
namespace {

using Op = ChangeSpec::Op;

ChangeSpec of(Op op) {
  ChangeSpec spec;
  spec.op = op;
  return spec;
}

Change made(ChangeSpec spec) { return Change(std::make_shared<const ChangeSpec>(std::move(spec))); }

Tensor checked(Tensor value, Per first, const char* what) {
  if (!value.defined() || !value.is_floating_point())
    throw Error(std::string(what) + " takes a tensor of floating point numbers");
  if (first != Per::Site && value.dim() < 1) {
    throw Error(std::string(what) +
                " got a single number, but its first dimension should walk rows, layers or vectors");
  }
  return value;
}

Reals checked(Reals factors, const char* what) {
  if (factors.values().empty()) throw Error(std::string(what) + " got an empty list of factors");
  return factors;
}

}  // namespace

Change Change::replace(const Prompts& donor) {
  ChangeSpec spec = of(Op::Replace);
  spec.donor = donor;
  return made(std::move(spec));
}

Change Change::replace(const Capture& from) {
  ChangeSpec spec = of(Op::Replace);
  spec.from = from.data();
  return made(std::move(spec));
}

Change Change::replace(Tensor value, Per first) {
  ChangeSpec spec = of(Op::Replace);
  spec.value = checked(std::move(value), first, "Change::replace");
  spec.per = first;
  return made(std::move(spec));
}

Change Change::zero() { return made(of(Op::Zero)); }

Change Change::mean(const Prompts& reference, Mean over) {
  if (reference.size() == 0) throw Error("Change::mean got reference prompts without rows");
  ChangeSpec spec = of(Op::Mean);
  spec.donor = reference;
  spec.mean = over;
  return made(std::move(spec));
}

Change Change::add(Tensor direction, Reals coefficients, Per first) {
  ChangeSpec spec = of(Op::Add);
  spec.value = checked(std::move(direction), first, "Change::add");
  spec.factors = checked(std::move(coefficients), "Change::add");
  spec.per = first;
  return made(std::move(spec));
}

Change Change::scale(Reals factors) {
  ChangeSpec spec = of(Op::Scale);
  spec.factors = checked(std::move(factors), "Change::scale");
  return made(std::move(spec));
}

Change Change::freeze() { return made(of(Op::Freeze)); }

Change Change::custom(EditFn edit) {
  if (!edit) throw Error("Change::custom got no function");
  ChangeSpec spec = of(Op::Custom);
  spec.edit = std::move(edit);
  return made(std::move(spec));
}

}  // namespace abi1
}  // namespace diopter
