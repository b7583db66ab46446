#include "exec/verify/verify_model.hpp"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "exec/model_tokenizer.hpp"
#include "exec/verify/sample_texts.hpp"
#include "model/load.hpp"
#include "model/transformer.hpp"

namespace diopter::exec {
namespace fs = std::filesystem;
namespace {

using base::Exit;
using base::UserError;

// Keeps the stream before each block.
class StreamTap final : public model::Tap {
 public:
  explicit StreamTap(const HookTable& hooks, Index layers) {
    wanted_.assign(static_cast<std::size_t>(hooks.size()), 0);
    for (Index layer = 0; layer < layers; ++layer)
      wanted_[static_cast<std::size_t>(hooks.id(Point::ResidPre, layer))] = 1;
  }
  at::Tensor at(HookId, at::Tensor value) override {
    values.push_back(value.squeeze(0));
    return value;
  }
  std::vector<at::Tensor> values;  // [layer] [pos, d_model]
};

double largest(const at::Tensor& x) { return x.abs().max().item<double>(); }

double largest_gap(const at::Tensor& a, const at::Tensor& b) { return largest(a.to(at::kDouble) - b.to(at::kDouble)); }

// A tie within rounding is no disagreement.
std::int64_t count_same_top(const at::Tensor& ours, const at::Tensor& theirs, double gate) {
  const at::Tensor chosen = theirs.gather(1, ours.argmax(1, true)).squeeze(1);
  return (std::get<0>(theirs.max(1)) - chosen <= gate).sum().item<std::int64_t>();
}

void compare_rows(const Reference& reference, const model::Transformer& model, Verification& out) {
  const Index layers = model.info().n_layers;
  std::vector<at::Tensor> ours, theirs;
  for (const ReferenceRow& row : reference.rows) {
    const at::Tensor ids = at::tensor(at::ArrayRef<std::int64_t>(row.ids), at::kLong).unsqueeze(0);
    StreamTap tap(model.hooks(), layers);
    ours.push_back(model.forward(ids, {&tap}).squeeze(0));
    theirs.push_back(row.logits);
    if (row.resid_pre.defined()) {
      out.stream.resize(static_cast<std::size_t>(layers));
      out.stream_scale.resize(static_cast<std::size_t>(layers));
      for (std::size_t layer = 0; layer < tap.values.size(); ++layer) {
        const at::Tensor expected = row.resid_pre[static_cast<Index>(layer)];
        out.stream[layer] = std::max(out.stream[layer], largest_gap(tap.values[layer], expected));
        out.stream_scale[layer] = std::max(out.stream_scale[layer], largest(expected));
      }
    }
  }
  const at::Tensor a = at::cat(ours), b = at::cat(theirs);
  out.prompts = static_cast<std::int64_t>(reference.rows.size());
  out.positions = a.size(0);
  out.largest_logit = largest(b);
  out.gate = gate_of(out.largest_logit);
  out.logits = largest_gap(a, b);
  out.log_probs = largest_gap(a.to(at::kDouble).log_softmax(-1), b.to(at::kDouble).log_softmax(-1));
  out.same_top = count_same_top(a, b, out.gate);
}

void compare_texts(const Reference& reference, const ModelFolder& model, Verification& out) {
  if (reference.text_ids.empty()) return;
  const auto tokenizer = load_tokenizer(model);
  if (!tokenizer) return;
  out.texts = static_cast<std::int64_t>(reference.texts.size());
  for (std::size_t i = 0; i < reference.texts.size(); ++i) {
    std::vector<std::int64_t> ours = tokenizer->encode(reference.texts[i]);
    if (ours != reference.text_ids[i])
      out.mismatches.push_back({reference.texts[i], std::move(ours), reference.text_ids[i]});
  }
}

void check_fits(const Reference& reference, const ModelInfo& info, const std::string& where) {
  for (const ReferenceRow& row : reference.rows) {
    const bool ids_fit =
        std::all_of(row.ids.begin(), row.ids.end(), [&](std::int64_t id) { return id >= 0 && id < info.d_vocab; });
    if (row.logits.size(1) == info.d_vocab && ids_fit && std::ssize(row.ids) <= info.n_ctx && !row.ids.empty())
      continue;
    throw UserError(Exit::Refused,
                    fmt::format("{}: expected logits over {} tokens for prompts of up to {}, got {} over {}", where,
                                info.d_vocab, info.n_ctx, row.ids.size(), row.logits.size(1)),
                    "it was made for another model", "model.reference");
  }
}

constexpr const char* kBesideModel = "diopter_reference.safetensors";

struct Found {
  Reference reference;
  std::string words;
};

Found find_reference(const VerifyRequest& request, const ModelInfo& info) {
  const fs::path folder = request.model.folder;
  const auto stored = [](const fs::path& file) {
    Reference reference = read_reference(file);
    const std::string words = fmt::format("{} (made by {})", file.string(), reference.made_by);
    return Found{std::move(reference), words};
  };
  if (!request.against.empty()) return stored(request.against);
  if (request.model.weights) {  // what transformers finds in its folder may be another model
    throw UserError(
        Exit::Refused,
        fmt::format("transformers reads folders, and {} is a file of weights", request.model.path().string()),
        "diopter model convert MODEL FOLDER, then verify FOLDER; or --against FILE", "model.verify");
  }
  try {
    Reference now = ask_transformers({.folder = folder,
                                      .ids = verification_ids(info),
                                      .texts = sample_texts(),
                                      .pythons = request.pythons,
                                      .limit = std::chrono::seconds(request.seconds)});
    const std::string words = now.made_by + ", on this machine";
    return {std::move(now), words};
  } catch (const NoTransformers& none) {
    if (fs::exists(folder / kBesideModel)) return stored(folder / kBesideModel);
    throw UserError(Exit::Refused,
                    fmt::format("nothing to compare {} with: no Python here has transformers ({}), and there is no {}",
                                request.model.name, none.what(), (folder / kBesideModel).string()),
                    "pip install torch transformers, or --python EXE, or --against FILE (made elsewhere by --save)",
                    "model.verify");
  }
}

}  // namespace

double gate_of(double largest_logit) { return std::clamp(5e-6 * largest_logit, 1e-5, 1e-4); }

std::vector<std::vector<std::int64_t>> verification_ids(const ModelInfo& info) {
  Index window = 0;
  for (Index layer = 0; layer < info.n_layers; ++layer) {
    const Index here = info.window(layer);
    if (here > 0 && (window == 0 || here < window)) window = here;
  }
  const Index longest = window > 0 && window <= 512 ? window + 16 : 48;
  std::vector<std::vector<std::int64_t>> rows;
  std::uint64_t state = 1;
  for (const Index length : {Index{1}, Index{17}, longest}) {
    std::vector<std::int64_t> row;
    for (Index i = 0; i < std::min(length, info.n_ctx); ++i) {
      state = state * 6364136223846793005ULL + 1442695040888963407ULL;  // Knuth's linear congruential generator
      row.push_back(static_cast<std::int64_t>((state >> 33) % static_cast<std::uint64_t>(info.d_vocab)));
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

Verification verify_model(const VerifyRequest& request) {
  const ModelInfo info = read_info(request.model);
  const Found found = find_reference(request, info);
  check_fits(found.reference, info, found.words);
  const c10::NoGradGuard no_grad;
  const model::Transformer model(model::load(request.model.path()).parameters);
  Verification out;
  out.model = info.name;
  out.family = info.family;
  out.against = found.words;
  compare_rows(found.reference, model, out);
  compare_texts(found.reference, request.model, out);
  if (!request.save.empty()) write_reference(found.reference, request.save);
  return out;
}

}  // namespace diopter::exec
