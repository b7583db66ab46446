#include "model/placement.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "base/error.hpp"

namespace diopter::model {

at::Device device_named(const std::string& name) {
  if (name == "auto" || name == "cpu") return at::kCPU;
  const at::Device device(name == "cuda" ? std::string("cuda:0") : name);
  const auto count = at::globalContext().hasCUDA() ? at::detail::getCUDAHooks().deviceCount() : 0;
  if (device.is_cuda() && device.index() < count) return device;
  throw base::UserError(
      base::Exit::Refused,
      fmt::format("device \"{}\" is not there: {}", name,
                  at::globalContext().hasCUDA()
                      ? fmt::format("this machine shows LibTorch {} GPUs, numbered from 0", static_cast<int>(count))
                      : std::string("this LibTorch is built without CUDA, or there is no driver")),
      "use \"cpu\"; a LibTorch with CUDA comes with DIOPTER_TORCH=cuda ./dev setup, or by LibTorch_ROOT",
      "model.device");
}

Parameters on_device(const Parameters& parameters, at::Device device) {
  return parameters.transformed([&](Slot, const at::Tensor& value) { return value.to(device); });
}

}  // namespace diopter::model
