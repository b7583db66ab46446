// gpt-nano of minGPT, trained to sort three symbols, against the activations stored with it. A real (trained) model
// with an untied head; its linear weights are stored [out, in], so this test transposes them.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>

#include "base/canonical_json.hpp"
#include "base/files.hpp"
#include "core/model/random_model.hpp"
#include "core/model/recording_tap.hpp"
#include "environment.hpp"
#include "model/transformer.hpp"

namespace diopter::model {
namespace {

using base::Json;
using testing::largest_difference;
using testing::RecordingTap;

std::string from_base64(const std::string& text) {
  const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  std::uint32_t bits = 0;
  int have = 0;
  for (const char c : text) {
    if (c == '=') break;
    bits = (bits << 6) | static_cast<std::uint32_t>(alphabet.find(c));
    have += 6;
    if (have >= 8) bytes.push_back(static_cast<char>((bits >> (have -= 8)) & 0xff));
  }
  return bytes;
}

at::Tensor tensor(const Json& stored) {
  const std::string bytes = from_base64(stored["data"]);
  at::Tensor out = at::empty(stored["shape"].get<std::vector<Index>>(), at::kFloat);
  EXPECT_EQ(bytes.size(), out.nbytes());
  std::memcpy(out.mutable_data_ptr(), bytes.data(), out.nbytes());
  return out;
}

ModelInfo nano_info(const Json& config) {
  ModelInfo info;
  info.family = "gpt2";
  info.n_layers = config["n_layer"];
  info.n_heads = info.n_kv_heads = config["n_head"];
  info.d_model = config["n_embd"];
  info.d_head = info.d_model / info.n_heads;
  info.d_mlp = 4 * info.d_model;
  info.d_vocab = config["vocab_size"];
  info.n_ctx = config["block_size"];
  info.attention_scale = 1 / std::sqrt(static_cast<double>(info.d_head));
  info.tied_embeddings = false;
  return info;
}

std::string stored_name(Slot slot) {
  const std::string block = fmt::format("transformer.h.{}.", slot.layer);
  switch (slot.part) {
    case Part::Embed: return "transformer.wte.weight";
    case Part::PosEmbed: return "transformer.wpe.weight";
    case Part::Ln1Gain: return block + "ln_1.weight";
    case Part::Ln1Bias: return block + "ln_1.bias";
    case Part::QkvWeight: return block + "attn.c_attn.weight";
    case Part::QkvBias: return block + "attn.c_attn.bias";
    case Part::OutWeight: return block + "attn.c_proj.weight";
    case Part::OutBias: return block + "attn.c_proj.bias";
    case Part::Ln2Gain: return block + "ln_2.weight";
    case Part::Ln2Bias: return block + "ln_2.bias";
    case Part::MlpInWeight: return block + "mlp.c_fc.weight";
    case Part::MlpInBias: return block + "mlp.c_fc.bias";
    case Part::MlpOutWeight: return block + "mlp.c_proj.weight";
    case Part::MlpOutBias: return block + "mlp.c_proj.bias";
    case Part::LnFinalGain: return "transformer.ln_f.weight";
    case Part::LnFinalBias: return "transformer.ln_f.bias";
    case Part::Unembed: return "lm_head.weight";
    default: break;
  }
  return {};
}

Parameters nano_parameters(const Json& stored) {
  const ModelInfo info = nano_info(stored["config"]);
  return Parameters(info).transformed([&](Slot slot, const at::Tensor&) {
    const at::Tensor t = tensor(stored.at(stored_name(slot)));
    const bool linear = is_per_layer(slot.part) && t.dim() == 2;
    return linear ? t.t().contiguous() : t;
  });
}

TEST(NanoSort, ActivationsEqualTheStoredOnes) {
  const std::filesystem::path folder = tests::source_folder() / "../shared/models/gpt_nano_sort";
  if (!std::filesystem::exists(folder))
    GTEST_SKIP() << "no folder ../shared/models/gpt_nano_sort beside the source tree";
  const c10::InferenceMode no_graph;
  const Transformer model(nano_parameters(Json::parse(base::read_file(folder / "gpt-nano-sort-model.json"))));
  const Json stored = Json::parse(base::read_file(folder / "gpt-nano-sort-t0-partials.json"));

  RecordingTap tap = RecordingTap::all(model.hooks());
  const at::Tensor logits = model.forward(tensor(stored["idx"]).to(at::kLong), {&tap});
  const auto shown = [&](Point point, Index layer = 0) { return tap.values.at(model.hooks().id(point, layer)); };
  const auto by_head = [&](Point point) {
    return shown(point).transpose(1, 2);
  };  // stored as [batch, head, pos, d_head]
  const at::Tensor seen = at::ones({11, 11}, at::kBool).tril();

  const std::vector<std::pair<const char*, at::Tensor>> values{{"tok_emb", shown(Point::Embed)},
                                                               {"x", shown(Point::ResidPre)},
                                                               {"ln1", shown(Point::Ln1Normalized)},
                                                               {"q", by_head(Point::Q)},
                                                               {"k", by_head(Point::K)},
                                                               {"v", by_head(Point::V)},
                                                               {"attSm", shown(Point::Pattern)},
                                                               {"y", shown(Point::Z).flatten(2)},
                                                               {"yProj", shown(Point::AttnOut)},
                                                               {"attnResid", shown(Point::ResidMid)},
                                                               {"ln2", shown(Point::Ln2Normalized)},
                                                               {"fc", shown(Point::MlpPre)},
                                                               {"gelu", shown(Point::MlpPost)},
                                                               {"mlp", shown(Point::MlpOut)},
                                                               {"mlpResid", shown(Point::ResidPost)},
                                                               {"block0", shown(Point::ResidPost, 0)},
                                                               {"block1", shown(Point::ResidPost, 1)},
                                                               {"block2", shown(Point::ResidPost, 2)},
                                                               {"ln_f", shown(Point::LnFinalNormalized)},
                                                               {"lm_head", logits},
                                                               {"probs", at::softmax(logits, -1)}};
  Index compared = 0;
  double worst = 0;
  for (const auto& [name, ours] : values) {
    const at::Tensor theirs = tensor(stored.at(name));
    ASSERT_EQ(ours.sizes(), theirs.sizes()) << name;
    const double difference = largest_difference(ours, theirs);
    EXPECT_LE(difference, 1e-5) << name;
    compared += theirs.numel();
    worst = std::max(worst, difference);
  }
  EXPECT_LE(largest_difference(shown(Point::AttnScores).masked_fill(seen.logical_not(), 0),
                               tensor(stored["att"]).masked_fill(seen.logical_not(), 0)),
            1e-5);
  EXPECT_LE(largest_difference(shown(Point::PosEmbed)[0], tensor(stored["pos_emb"])[0]), 0);
  fmt::print("{} values, largest difference {:.3g}\n", compared, worst);
  EXPECT_GT(compared, 30'000);
}

}  // namespace
}  // namespace diopter::model
