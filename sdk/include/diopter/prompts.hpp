// Rows of a prompt set: token ids (or continuous inputs), answers and free columns. A value: never changed, copies
// share. Rows of unequal length are right-padded in tensors: token ids with -1, numbers with NaN.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <diopter/base.hpp>

namespace diopter {
inline namespace abi1 {

struct PromptsData;

class DIOPTER_API Prompts {
 public:
  Prompts();                          // no rows
  static Prompts tokens(Tensor ids);  // int64 [prompt, pos], -1 pads on the right; no BOS is added
  static Prompts values(Tensor x);    // float [prompt, pos, d_in]
  // "group", "unit", "corrupted" (int64 ids), "map" (int64 [prompt, pos]), "counted" (bool [prompt, pos])...
  Prompts with(Text column, std::variant<std::vector<std::string>, Tensor> values) const;

  Index size() const;
  std::vector<std::string> column(Text name) const;  // Error with the nearest name when there is none
  Tensor numbers(Text column) const;
  bool has(Text column) const;
  // Consecutive batches of rows of equal length, hence without padding; 0 = what fits. Rows keep their identity: labels
  // of a batch say which rows of the whole set they are.
  std::vector<Prompts> batches(Index max_rows = 0) const;
  std::vector<Prompts> groups(Text column = "group") const;
  Prompts select(const Tensor& rows) const;                                                       // int64 [n]
  std::pair<Prompts, Prompts> split(double test, Text by = "unit", Text stream = "split") const;  // train, test
  Tensor rows() const;  // int64 [prompt]: index of each row in the set this one was taken from

  Tensor inputs() const;   // int64 [prompt, pos] or float [prompt, pos, d_in]
  Tensor lengths() const;  // int64 [prompt]
  Tensor find(Text token,
              Index occurrence = 1) const;       // int64 [prompt]: position of that token; Error names rows without it
  Tensor answers(Text column = "answer") const;  // int64 [prompt, choice, token], padded with -1
  Prompts clean() const, corrupted() const;      // row i of one belongs to row i of the other
  // int64 [prompt, pos of this]: the position in `other` that belongs to each position here, or kUnset. Error when rows
  // differ in length and no alignment was declared; its text lists both rows' tokens.
  Tensor aligned_to(const Prompts& other) const;

  explicit Prompts(std::shared_ptr<const PromptsData> data) : data_(std::move(data)) {}
  const std::shared_ptr<const PromptsData>& data() const { return data_; }

 private:
  std::shared_ptr<const PromptsData> data_;
};

}  // namespace abi1
}  // namespace diopter
