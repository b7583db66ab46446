// A tiny random model, its session, and a monitor that remembers what it was told.
#pragma once

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <diopter/error.hpp>

#include "core/model/random_model.hpp"
#include "engine/session.hpp"

namespace diopter::engine::testing {

class Remembering final : public RunMonitor {
 public:
  Remembering() { at::set_num_threads(1); }  // tiny tensors: more threads only wait for each other
  void progress(Text, Index, Index, Text) override {}
  void check_stop() override {
    ++forwards;
    if (stop) throw Stopped("stopped");
  }
  bool stop_requested() const noexcept override { return stop; }
  void warn(Text guard, Text sentence) override { warnings.emplace_back(guard, sentence); }
  void event(Text kind, Text sentence) override { events.emplace_back(kind, sentence); }
  void check_observes(const HookPoint& point) override { observed.emplace_back(point.name); }
  void check_edits(const HookPoint& point) override { edited.emplace_back(point.name); }
  at::Generator rng(Text) override { return at::detail::createCPUGenerator(11); }

  bool stop = false;
  int forwards = 0;
  std::vector<std::pair<std::string, std::string>> warnings, events;
  std::vector<std::string> observed, edited;
};

struct Lab {
  explicit Lab(SessionOptions options = {.kind = "trial"}, std::uint64_t seed = 1,
               ModelInfo info = model::testing::tiny_info(), std::shared_ptr<const TokenCodec> codec = nullptr)
      : model(std::make_shared<model::Transformer>(model::testing::random_parameters(named(std::move(info)), seed))),
        session(model, std::move(codec), monitor, std::move(options)) {}

  static ModelInfo named(ModelInfo info) {
    info.name = "tiny";
    return info;
  }
  const ModelInfo& info() const { return model->info(); }

  Remembering monitor;
  std::shared_ptr<model::Transformer> model;
  Session session;
};

inline at::Tensor ints(const std::vector<Index>& values) { return at::tensor(at::ArrayRef<Index>(values), at::kLong); }

// int64 [row, longest], -1 pads
inline at::Tensor padded_ids(const std::vector<Index>& lengths, std::uint64_t seed, Index vocabulary = 31) {
  Index longest = 0;
  for (const Index length : lengths) longest = std::max(longest, length);
  at::Tensor ids = at::randint(0, vocabulary, {static_cast<Index>(lengths.size()), longest},
                               at::detail::createCPUGenerator(seed), at::kLong);
  for (std::size_t row = 0; row < lengths.size(); ++row) {
    ids.select(0, static_cast<Index>(row)).narrow(0, lengths[row], longest - lengths[row]).fill_(-1);
  }
  return ids;
}

// Rows with an answer and a foil each.
inline Prompts with_answers(const Prompts& rows, Index vocabulary = 31) {
  const at::Tensor row = at::arange(rows.size());
  return rows.with("answer", (row * 5 + 3) % vocabulary).with("foil", (row * 7 + 11) % vocabulary);
}

inline Prompts random_rows(const std::vector<Index>& lengths, std::uint64_t seed = 5) {
  return with_answers(Prompts::tokens(padded_ids(lengths, seed)));
}

// Clean and corrupted rows of equal lengths; the corrupted ones differ from `first` on, where that is inside the row.
inline Prompts random_pairs(const std::vector<Index>& lengths, Index first, std::uint64_t seed = 5) {
  const at::Tensor clean = padded_ids(lengths, seed);
  at::Tensor corrupted = clean.clone();
  for (std::size_t row = 0; row < lengths.size(); ++row) {
    for (Index pos = first; pos < lengths[row]; pos += 2) {
      at::Tensor cell = corrupted.select(0, static_cast<Index>(row)).select(0, pos);
      cell.fill_((cell.item<Index>() + 1) % 31);
    }
  }
  return with_answers(Prompts::tokens(clean)).with("corrupted", corrupted);
}

inline const std::vector<Metric>& logit_diff_only() {
  static const std::vector<Metric> metrics = {Metric::named("logit_diff")};
  return metrics;
}

// The clean rows' values put into the corrupted ones.
inline Sweep patching(const Prompts& pairs, const char* hooks, std::vector<Axis> axes) {
  return {.into = pairs.corrupted(),
          .hooks = hooks,
          .axes = std::move(axes),
          .change = Change::replace(pairs.clean()),
          .metrics = logit_diff_only()};
}

inline double difference(const at::Tensor& a, const at::Tensor& b) {
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().nan_to_num(0).max().item<double>();
}

template <class Call>
std::string error_of(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace diopter::engine::testing
