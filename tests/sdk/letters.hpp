// A tokenizer of letters: "a" is 0, "b" is 1; every other text is several tokens.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <diopter/error.hpp>
#include <diopter/params.hpp>
#include <diopter_host/specs.hpp>

namespace diopter::test {

class Letters final : public TokenCodec {
 public:
  std::vector<Index> encode(Text text) const override {
    std::vector<Index> ids;
    for (const char c : text) ids.push_back(c - 'a');
    return ids;
  }
  std::string text(Index token) const override { return std::string(1, static_cast<char>('a' + token)); }
  Index size() const override { return 26; }
};

struct Pair {
  std::string clean, corrupted;
};

// Rows of letters, "abc" being tokens 0 1 2; a set named 'letters'.
inline Prompts pairs(const std::vector<Pair>& rows, PromptsData::Align align = PromptsData::Align::None) {
  auto data = std::make_shared<PromptsData>();
  const Letters codec;
  for (const Pair& pair : rows) {
    data->rows.push_back(
        {codec.encode(pair.clean), codec.encode(pair.corrupted), static_cast<Index>(data->rows.size())});
    data->has_pairs = data->has_pairs || !pair.corrupted.empty();
  }
  data->align = align;
  data->set_size = static_cast<Index>(rows.size());
  data->codec = std::make_shared<Letters>();
  data->name = "letters";
  return Prompts(std::shared_ptr<const PromptsData>(std::move(data)));
}

inline Prompts rows_of(const std::vector<std::string>& texts) {
  std::vector<Pair> rows;
  for (const auto& text : texts) rows.push_back({text, ""});
  return pairs(rows);
}

inline at::Tensor longs(std::vector<Index> values) { return at::tensor(at::ArrayRef<Index>(values), at::kLong); }

inline std::string error_text(const std::function<void()>& function) {
  try {
    function();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

}  // namespace diopter::test
