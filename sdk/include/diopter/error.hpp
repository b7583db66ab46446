// What a plugin throws and what the host throws at a plugin: one sentence with expected, got, what to do.
#pragma once

#include <stdexcept>

#include <diopter/base.hpp>

namespace diopter {
inline namespace abi1 {

class DIOPTER_API Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
  ~Error() override;
};

// The user asked to stop. Let it pass: the host records the run as cancelled.
class DIOPTER_API Stopped final : public Error {
 public:
  using Error::Error;
  ~Stopped() override;
};

}  // namespace abi1
}  // namespace diopter
