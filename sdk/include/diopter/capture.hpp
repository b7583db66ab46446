// Activations of one forward: snapshots, in forward order.
#pragma once

#include <memory>
#include <utility>

#include <diopter/hook_name.hpp>

namespace diopter {
inline namespace abi1 {

struct CaptureData;

class DIOPTER_API Capture {
 public:
  using Item = std::pair<HookPoint, Tensor>;
  Tensor resid() const;                        // [prompt, pos, d_model]: what enters the final norm
  Tensor logits() const;                       // [prompt, pos, d_vocab]; made when asked for
  const Tensor& operator[](Text point) const;  // Error with the nearest name when it was not captured
  Tensor stack(Text glob) const;               // [layer, ...]
  const Item* begin() const;
  const Item* end() const;

  explicit Capture(std::shared_ptr<const CaptureData> data) : data_(std::move(data)) {}
  const std::shared_ptr<const CaptureData>& data() const { return data_; }

 private:
  std::shared_ptr<const CaptureData> data_;
};

}  // namespace abi1
}  // namespace diopter
