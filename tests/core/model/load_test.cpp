// Model folders: written, read back, and every contradiction between config and weights.
#include "model/load.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <limits>

#include "base/canonical_json.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "core/model/expected.hpp"
#include "core/model/random_model.hpp"
#include "core/weights/files.hpp"
#include "model/config.hpp"
#include "model/transformer.hpp"
#include "peers/python_peer.hpp"
#include "weights/safetensors_file.hpp"
#include "weights/safetensors_writer.hpp"

namespace diopter::model {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::largest_difference;
using testing::random_ids;
using testing::random_parameters;
using testing::tiny_info;
using weights::testing::Folder;
using weights::testing::refusal;

using Tensors = std::map<std::string, weights::TensorView>;

// A saved model whose weights file is written again after `change`.
void save_changed(const std::filesystem::path& folder, const ModelInfo& info,
                  const std::function<void(Tensors&)>& change) {
  save(random_parameters(info, 5), folder);
  Tensors tensors;
  {
    const weights::SafetensorsFile file(folder / "model.safetensors");
    tensors = file.tensors();
  }
  change(tensors);
  std::vector<weights::TensorToWrite> out;
  for (const auto& [name, view] : tensors) out.push_back({name, view.dtype, view.shape, view.bytes});
  weights::write_safetensors(folder / "model.safetensors", out);
}

std::string refused_after(const std::function<void(Tensors&)>& change, const ModelInfo& info = tiny_info()) {
  const Folder folder;
  save_changed(folder.path(), info, change);
  return refusal([&] { load(folder.path()); });
}

// One float of a tensor, the file's bytes being read-only.
struct Poisoned {
  std::vector<float> values;
  explicit Poisoned(const weights::TensorView& view, std::vector<float> into) : values(view.bytes.size() / 4) {
    std::memcpy(values.data(), view.bytes.data(), view.bytes.size());
    for (std::size_t i = 0; i < into.size(); ++i) values[i * 3] = into[i];
  }
  std::string_view bytes() const { return {reinterpret_cast<const char*>(values.data()), values.size() * 4}; }
};

TEST(Load, WhatIsSavedIsLoaded) {
  for (const bool tied : {true, false}) {
    const Folder folder;
    ModelInfo info = tiny_info();
    info.tied_embeddings = tied;
    const Parameters saved = random_parameters(info, 5);
    save(saved, folder.path() / "model");
    const LoadedModel loaded = load(folder.path() / "model");
    EXPECT_EQ(loaded.parameters.info().name, "model");
    EXPECT_EQ(loaded.files.size(), 2U);
    for (const Slot slot : slots(info))
      EXPECT_TRUE(at::equal(loaded.parameters.get(slot.part, slot.layer), saved.get(slot.part, slot.layer)))
          << slot_name(slot);
    const at::Tensor ids = random_ids(info, 2, 9);
    EXPECT_TRUE(at::equal(Transformer(loaded.parameters).forward(ids), Transformer(saved).forward(ids)));
  }
}

TEST(Load, TransformersReadsWhatIsSavedAndComputesTheSame) {
  const Folder folder;
  std::vector<Parameters> saved;
  std::vector<std::string> arguments{"gpt2"};
  const at::Tensor ids = random_ids(tiny_info(), 2, 9);
  base::Json rows = base::Json::array();
  for (Index b = 0; b < 2; ++b)
    rows.push_back(std::vector<Index>(ids[b].const_data_ptr<Index>(), ids[b].const_data_ptr<Index>() + 9));
  folder.write("ids.json", rows.dump());
  for (const bool tied : {true, false}) {
    ModelInfo info = tiny_info();
    info.tied_embeddings = tied;
    info.activation = tied ? Activation::GeluNew : Activation::Relu;
    const std::string name = tied ? "tied" : "untied";
    saved.push_back(random_parameters(info, 5));
    save(saved.back(), folder.path() / name);
    for (const std::string& argument : {name, std::string("ids.json"), name + ".safetensors"})
      arguments.push_back((folder.path() / argument).string());
  }
  const peers::Outcome run = peers::run_python("model_read_back.py", arguments);
  if (run == peers::Outcome::NoPython) GTEST_SKIP() << peers::kNoPython;
  ASSERT_EQ(run, peers::Outcome::Done);
  for (const Parameters& p : saved) {
    const char* name = p.info().tied_embeddings ? "tied.safetensors" : "untied.safetensors";
    const at::Tensor theirs = testing::read_tensors(folder.path() / name).at("logits");
    EXPECT_LE(largest_difference(Transformer(p).forward(ids), theirs), 1e-5) << name;
  }
}

TEST(Load, WeightsOfTheWantedDtypeStayMapped) {
  const Folder folder;
  save(random_parameters(tiny_info(), 5), folder.path());
  const Parameters mapped = load(folder.path()).parameters, converted = load(folder.path(), at::kBFloat16).parameters;
  // Mapped tensors lie in one file: their addresses are as far apart as in it.
  const auto address = [](const at::Tensor& t) { return reinterpret_cast<const char*>(t.const_data_ptr()); };
  const weights::SafetensorsFile file(folder.path() / "model.safetensors");
  const auto offset = [&](const char* name) {
    return file.tensors().at(name).bytes.data() - file.tensors().at("transformer.wte.weight").bytes.data();
  };
  EXPECT_EQ(address(mapped.get(Part::MlpInWeight, 1)) - address(mapped.get(Part::Embed)),
            offset("transformer.h.1.mlp.c_fc.weight"));
  EXPECT_EQ(converted.get(Part::Embed).scalar_type(), at::kBFloat16);
}

TEST(Load, HalfPrecisionFilesBecomeFp32) {
  const Folder folder;
  const Parameters rough = random_parameters(tiny_info(), 5, at::kBFloat16);
  save(rough, folder.path());
  const Parameters loaded = load(folder.path()).parameters;
  EXPECT_EQ(loaded.get(Part::Embed).scalar_type(), at::kFloat);
  EXPECT_TRUE(at::equal(loaded.get(Part::OutWeight, 2), rough.get(Part::OutWeight, 2).to(at::kFloat)));
}

TEST(Load, PrefixAndBuffersAreOptional) {
  const Folder folder;
  const ModelInfo info = tiny_info();
  const std::vector<char> buffer(16, 1);
  save_changed(folder.path(), info, [&](Tensors& tensors) {
    Tensors bare;
    for (const auto& [name, view] : tensors) bare.emplace(name.substr(std::string("transformer.").size()), view);
    bare["h.0.attn.bias"] = {weights::Dtype::Bool, {1, 1, 4, 4}, {buffer.data(), 16}, nullptr};
    bare["h.1.attn.masked_bias"] = {weights::Dtype::F32, {}, {buffer.data(), 4}, nullptr};
    bare["lm_head.weight"] = bare.at("wte.weight");  // stored though tied
    tensors = bare;
  });
  const at::Tensor ids = random_ids(info, 2, 9);
  EXPECT_TRUE(at::equal(Transformer(load(folder.path()).parameters).forward(ids),
                        Transformer(random_parameters(info, 5)).forward(ids)));
}

TEST(Load, AllContradictionsAreListedAtOnce) {
  const std::string message = refused_after([](Tensors& tensors) {
    tensors.erase("transformer.h.0.ln_1.bias");
    tensors.erase("transformer.h.2.mlp.c_fc.weight");
    tensors["transformer.h.3.ln_1.bias"] = tensors.at("transformer.h.1.ln_1.bias");
    tensors["transformer.h.1.attn.c_proj.weight"] = tensors.at("transformer.h.1.mlp.c_proj.weight");
    tensors.at("transformer.ln_f.bias").dtype = weights::Dtype::I32;
  });
  EXPECT_THAT(message,
              AllOf(HasSubstr("weights and config.json of the gpt2 model contradict each other:"),
                    HasSubstr("missing: h.0.ln_1.bias [20]"), HasSubstr("missing: h.2.mlp.c_fc.weight [20, 28]"),
                    HasSubstr("not expected: h.3.ln_1.bias [20]"),
                    HasSubstr("misshapen: h.1.attn.c_proj.weight is [28, 20], expected [20, 20]"),
                    HasSubstr("wrong dtype: ln_f.bias is I32, expected F32, F16, BF16 or F64")));
}

TEST(Load, AHeadThatContradictsTyingIsRefused) {
  ModelInfo untied = tiny_info();
  untied.tied_embeddings = false;
  const Folder folder;
  save(random_parameters(untied, 5), folder.path());
  base::Json config = config_json(untied);
  config["tie_word_embeddings"] = true;
  folder.write("config.json", config.dump());
  EXPECT_THAT(refusal([&] { load(folder.path()); }),
              HasSubstr("expected lm_head.weight to be equal to wte.weight (tie_word_embeddings is true)"));
  config.erase("tie_word_embeddings");  // the family's default
  folder.write("config.json", config.dump());
  EXPECT_THAT(refusal([&] { load(folder.path()); }), HasSubstr("lm_head.weight"));
}

TEST(Load, AnUntiedModelNeedsItsHead) {
  ModelInfo untied = tiny_info();
  untied.tied_embeddings = false;
  EXPECT_THAT(refused_after([](Tensors& tensors) { tensors.erase("lm_head.weight"); }, untied),
              HasSubstr("missing: lm_head.weight [31, 20]"));
}

TEST(Load, AWeightStoredTwiceIsRefused) {
  EXPECT_THAT(refused_after([](Tensors& tensors) { tensors["wte.weight"] = tensors.at("transformer.wte.weight"); }),
              HasSubstr("expected every weight once, got wte.weight with and without 'transformer.'"));
}

TEST(Load, NaNAndInfiniteWeightsAreRefusedByNameAndCount) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  std::vector<Poisoned> keep;
  keep.reserve(2);
  const std::string message = refused_after([&](Tensors& tensors) {
    for (const auto& [name, bad] :
         {std::pair<std::string, std::vector<float>>{"transformer.wte.weight", {nan, inf, -inf}},
          {"transformer.h.1.ln_2.bias", {nan}}}) {
      keep.emplace_back(tensors.at(name), bad);
      tensors.at(name).bytes = keep.back().bytes();
    }
  });
  EXPECT_THAT(message, AllOf(HasSubstr("expected finite weights"), HasSubstr("wte.weight: 3 of [31, 20]"),
                             HasSubstr("h.1.ln_2.bias: 1 of [20]")));
}

TEST(Load, ConfigAndWeightsOfDifferentModels) {
  const Folder folder;
  save(random_parameters(tiny_info(), 5), folder.path());
  ModelInfo larger = tiny_info();
  larger.n_layers = 4;
  larger.d_vocab = 40;
  folder.write("config.json", config_json(larger).dump());
  EXPECT_THAT(refusal([&] { load(folder.path()); }),
              AllOf(HasSubstr("misshapen: wte.weight is [31, 20], expected [40, 20]"),
                    HasSubstr("missing: h.3.ln_1.weight [20]")));
}

TEST(Load, SaysWhatIsNotThere) {
  const Folder folder;
  EXPECT_THAT(refusal([&] { load(folder.path()); }), HasSubstr("expected a model's config.json at"));
  folder.write("config.json", "{");
  EXPECT_THAT(refusal([&] { load(folder.path()); }), HasSubstr("expected JSON"));
  folder.write("config.json", config_json(tiny_info()).dump());
  EXPECT_THAT(refusal([&] { load(folder.path()); }),
              HasSubstr("expected model.safetensors, pytorch_model.bin or an index"));
}

}  // namespace
}  // namespace diopter::model
