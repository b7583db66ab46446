// What is done to the model while it runs: declared changes at sites. Plain values; nothing to unsubscribe.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <diopter/capture.hpp>
#include <diopter/positions.hpp>
#include <diopter/prompts.hpp>

namespace diopter {
inline namespace abi1 {

struct ChangeSpec;

// One value, or several that make an axis ("coefficient").
class DIOPTER_API Reals {
 public:
  Reals(double value) : values_{value} {}
  Reals(std::vector<double> values) : values_(std::move(values)), swept_(true) {}
  const std::vector<double>& values() const { return values_; }
  bool swept() const { return swept_; }

 private:
  std::vector<double> values_;
  bool swept_ = false;
};

// [forward] Gets the value at `point` and returns the new one, of the same shape and dtype; must not change its
// argument.
using EditFn = std::function<Tensor(const Tensor& value, const HookPoint& point)>;

enum class Per {
  Site,
  Row,
  Layer,
  Vector
};  // what a tensor's first dimension walks: nothing, rows, layers, an axis "vector"
enum class Mean { PerPosition, OverPositions };

// What is done at a site. All but custom() can be batched and served from reuse.
class DIOPTER_API Change {
 public:
  static Change replace(const Prompts& donor);  // by the same site in the run of these rows
  static Change replace(const Capture& from);
  static Change replace(Tensor value, Per first = Per::Site);
  static Change zero();
  static Change mean(const Prompts& reference, Mean over = Mean::PerPosition);  // pads excluded
  static Change add(Tensor direction, Reals coefficients = 1.0, Per first = Per::Site);
  static Change scale(Reals factors);
  static Change freeze();             // as in the unedited run
  static Change custom(EditFn edit);  // any function; serial in sweeps

  const ChangeSpec& spec() const { return *spec_; }
  explicit Change(std::shared_ptr<const ChangeSpec> spec) : spec_(std::move(spec)) {}

 private:
  std::shared_ptr<const ChangeSpec> spec_;
};

// A dimension of a result. Names: layer pos head kv_head neuron dest src site coefficient vector. Empty: all of the
// model's, or those of the Change.
struct Axis {
  Text name;
  std::vector<Index> indices = {};
  std::vector<double> reals = {};
};

// Applied in the order written.
class DIOPTER_API Edits {
 public:
  struct Item {
    HookSet points;
    Change change;
    Where where;
  };
  Edits& at(HookSet points, Change change, Where where = {});
  std::vector<Axis> axes() const;    // of the lists in it
  std::vector<Edits> cells() const;  // one per combination, last axis fastest; capture takes one cell
  const std::vector<Item>& items() const { return items_; }
  bool empty() const { return items_.empty(); }

 private:
  std::vector<Item> items_;
};

}  // namespace abi1
}  // namespace diopter
