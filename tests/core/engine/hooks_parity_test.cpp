// Every captured value, and every output after an edit, against TransformerLens (tests/peers/engine_hooks_oracle.py).
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "core/engine/support.hpp"
#include "core/model/expected.hpp"
#include "model/load.hpp"
#include "peers/parity_record.hpp"
#include "peers/python_peer.hpp"

namespace diopter::engine::testing {
namespace {

// One row per kind of point over layers, models and batches.
struct Line {
  Index values = 0, logits = 0;
  double captured = 0, edited = 0, moved = 0;
};

std::string kind_of(const HookPoint& point) {
  const std::string name(point.name);
  return point.layer < 0 ? name : name.substr(name.find('.', 7) + 1);
}

// |a - b| where both hold real positions: -inf equals -inf, padding counts nothing.
double real_difference(const at::Tensor& ours, const at::Tensor& theirs, const at::Tensor& real) {
  const at::Tensor here = ours.to(at::kCPU);
  const at::Tensor gap = at::where((here == theirs) | real.logical_not(), at::zeros({}), (here - theirs).abs());
  return gap.isnan().any().item<bool>() ? std::numeric_limits<double>::infinity() : gap.max().item<double>();
}

at::Tensor real_part(const HookPoint& point, const at::Tensor& ids, const at::Tensor& like) {
  at::Tensor real = at::ones({}, at::kBool);
  for (std::size_t dim = 0; dim < point.dims.size(); ++dim) {
    const Text name = point.dims[dim];
    if (name != "pos" && name != "dest" && name != "src") continue;
    std::vector<Index> shape(point.dims.size(), 1);
    shape[0] = ids.size(0);
    shape[dim] = ids.size(1);
    real = real & (ids >= 0).view(shape);
  }
  return real.expand_as(like);
}

// Each value and each edit of an oracle's models; what was compared, by kind of point.
void compare(const std::filesystem::path& oracle, std::map<std::string, Line>& lines) {
  for (const auto& entry : std::filesystem::directory_iterator(oracle)) {
    if (entry.path().extension() != ".safetensors") continue;
    const std::string model_name = entry.path().stem().stem();
    const auto model =
        std::make_shared<model::Transformer>(model::testing::placed(model::load(oracle / model_name).parameters));
    Remembering monitor;
    Session session(model, nullptr, monitor);
    auto expected = model::testing::read_tensors(entry.path());
    const at::Tensor ids = expected.at("ids");
    const Prompts rows = Prompts::tokens(ids);
    const at::Tensor real_logits = (ids >= 0).unsqueeze(-1).expand_as(expected.at("logits"));
    const double plain =
        real_difference(session.capture(rows, {}, {}, {}).logits(), expected.at("logits"), real_logits);
    ASSERT_LT(plain, 1e-5) << entry.path();
    const double largest_logit =
        at::where(real_logits, expected.at("logits"), at::zeros({})).abs().max().item<double>();
    std::vector<std::string> every{"hook_*", "blocks.*.*", "blocks.*.*.*", "unembed.*"};
    if (model->info().norm != NormKind::None) every.push_back("ln_final.*");
    if (model->info().query_key_norm) every.push_back("blocks.*.attn.*.*");
    const Capture seen = session.capture(rows, HookSet(every), {}, {});
    Index checked = 0;
    double captured = 0, edited = 0;  // of this model
    for (const auto& [point, value] : seen) {
      const std::string name(point.name);
      if (!expected.contains("value/" + name)) {
        EXPECT_TRUE(name.starts_with("unembed.")) << name << " is not in TransformerLens";
        continue;
      }
      Line& line = lines[kind_of(point)];
      const at::Tensor theirs = expected.at("value/" + name);
      ASSERT_EQ(value.sizes(), theirs.sizes()) << name;
      const double here = real_difference(value, theirs, real_part(point, ids, theirs));
      line.captured = std::max(line.captured, here);
      captured = std::max(captured, here);
      line.values += value.numel();
      const at::Tensor noise = expected.at("noise/" + name);
      const Edits edits =
          Edits().at(HookSet(name),
                     Change::custom([noise](const Tensor& x, const HookPoint&) { return x + noise.to(x.device()); }));
      const at::Tensor logits = session.capture(rows, {}, {}, edits).logits();
      const double after = real_difference(logits, expected.at("logits/" + name), real_logits);
      line.edited = std::max(line.edited, after);
      edited = std::max(edited, after);
      line.moved =
          std::max(line.moved, real_difference(expected.at("logits/" + name), expected.at("logits"), real_logits));
      line.logits += logits.numel();
      ++checked;
    }
    const std::string name = oracle.filename().string();
    peers::record_parity(name, model_name, model->info(),
                         {.what = "logits", .difference = plain, .gate = 1e-5, .scale = largest_logit});
    peers::record_parity(name, model_name, model->info(), {.what = "hooks", .difference = captured, .gate = 1e-5});
    peers::record_parity(name, model_name, model->info(), {.what = "edits", .difference = edited, .gate = 2e-5});
    std::size_t theirs = 0;
    for (const auto& [key, tensor] : expected) theirs += key.starts_with("value/");
    EXPECT_EQ(static_cast<std::size_t>(checked), theirs) << "TransformerLens has hook points that diopter lacks";
  }
}

void report(const std::map<std::string, Line>& lines) {
  printf("%-24s %8s %12s %8s %12s %12s\n", "hook point", "values", "largest diff", "logits", "after edit",
         "edit moves");
  for (const auto& [kind, line] : lines) {
    printf("%-24s %8ld %12.2g %8ld %12.2g %12.2g\n", kind.c_str(), line.values, line.captured, line.logits, line.edited,
           line.moved);
    EXPECT_LT(line.captured, 1e-5) << kind;
    EXPECT_LT(line.edited, 2e-5) << kind;
    EXPECT_GT(line.moved, 1e-2) << kind;
  }
}

TEST(HooksParity, ValuesAndEditsEqualTransformerLens) {
  const std::filesystem::path oracle = peers::oracle("engine_hooks");
  if (oracle.empty()) GTEST_SKIP() << peers::missing_oracle("engine_hooks");
  std::map<std::string, Line> lines;
  compare(oracle, lines);
  report(lines);
  EXPECT_GE(lines.size(), 27u);
}

TEST(HooksParity, EveryFamilyEqualsTransformerLens) {
  const std::filesystem::path oracle = peers::oracle("engine_hooks_families");
  if (oracle.empty()) GTEST_SKIP() << peers::missing_oracle("engine_hooks_families");
  std::map<std::string, Line> lines;
  compare(oracle, lines);
  report(lines);
  EXPECT_GE(lines.size(), 37u);  // rotated q and k, norms of q and k, norms after, the gated MLP
}

TEST(HooksParity, ModelsInTransformerLensOwnLayoutEqualIt) {
  const std::filesystem::path oracle = peers::oracle("engine_hooks_lens");
  if (oracle.empty()) GTEST_SKIP() << peers::missing_oracle("engine_hooks_lens");
  std::map<std::string, Line> lines;
  compare(oracle, lines);
  report(lines);
  EXPECT_GE(lines.size(), 37u);
}

}  // namespace
}  // namespace diopter::engine::testing
