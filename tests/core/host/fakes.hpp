// A sink that keeps what it gets, and an engine with a model of one weight.
#pragma once

#include <ATen/ATen.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <diopter_host/backends.hpp>

#include "base/error.hpp"
#include "host/monitor.hpp"
#include "host/record_sink.hpp"

namespace diopter::host::test {

class KeepingSink final : public RecordSink {
 public:
  struct KeptTensor {
    at::Tensor value;
    std::vector<Dim> dims;
  };
  std::map<std::string, std::vector<double>> metrics;
  std::map<std::string, KeptTensor> tensors;
  std::map<std::string, base::Json> tables, figures;
  std::map<std::string, std::string> texts;
  std::vector<std::string> events, progresses;

  bool disk_is_full = false;

  void metric(const std::string& name, double value, std::optional<std::int64_t>, std::optional<double>) override {
    if (disk_is_full) throw base::UserError(base::Exit::Store, "cannot write: No space left on device");
    metrics[name].push_back(value);
  }
  void tensor(const std::string& name, const at::Tensor& value, const std::vector<Dim>& dims) override {
    tensors[name] = {value, dims};
  }
  void table(const std::string& name, const base::Json& doc) override { tables[name] = doc; }
  void figure(const std::string& name, const base::Json& figure) override { figures[name] = figure; }
  void text(const std::string& name, const std::string& markdown) override { texts[name] = markdown; }
  void model(const std::string&, const std::filesystem::path&) override {}
  void dataset(const std::string&, const Prompts&, const std::filesystem::path&) override {}
  void file(const std::string&, const std::filesystem::path&) override {}
  void event(Level level, const std::string& kind, const std::string& message) override {
    events.push_back((level == Level::Warning ? "warning " : "info ") + kind + ": " + message);
  }
  void progress(const std::string& what, std::int64_t done, std::int64_t total, const std::string&) override {
    progresses.push_back(what + " " + std::to_string(done) + "/" + std::to_string(total));
  }
};

// Token 0 is "a", 1 is "b", ...; text is encoded letter by letter.
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

inline Prompts lettered(const at::Tensor& ids) {
  auto data = std::make_shared<PromptsData>(*Prompts::tokens(ids).data());
  data->codec = std::make_shared<Letters>();
  data->name = "letters";
  return Prompts(std::shared_ptr<const PromptsData>(std::move(data)));
}

inline ModelInfo tiny_info(Index layers = 1) {
  ModelInfo info;
  info.name = "tiny";
  info.family = "gpt2";
  info.n_layers = layers;
  info.n_heads = info.n_kv_heads = 2;
  info.d_model = 8;
  info.d_head = 4;
  info.d_mlp = 16;
  info.d_vocab = 26;
  info.n_ctx = 16;
  return info;
}

class TinyModel final : public ModelBackend {
 public:
  explicit TinyModel(Index layers) : info_(tiny_info(layers)), table_(info_) {}
  const ModelInfo& info() const override { return info_; }
  const HookTable& hook_table() const override { return table_; }
  Tensor unembed(const Tensor&) const override { return weight_; }
  Readout read(const Tensor&, const Read&) const override { return {}; }
  Direction logit_direction(const Tensor&, const Tensor&) const override { return {}; }
  Tensor weight(Text, Index) const override { return weight_; }
  const TokenCodec* codec() const override { return &codec_; }

 private:
  ModelInfo info_;
  HookTable table_;
  Letters codec_;
  at::Tensor weight_ = at::zeros({4});
};

class TinyEngine final : public EngineBackend {
 public:
  TinyEngine(Monitor& monitor, Index layers = 1) : monitor_(monitor), model_(layers) {}
  ModelBackend& model() override { return model_; }
  Capture capture(const Prompts& rows, const HookSet& points, const Where&, const Edits&) override {
    auto data = std::make_shared<CaptureData>();
    data->hooks = model_.hook_table();
    for (const HookId id : data->hooks.resolve(points)) {
      monitor_.check_observes(data->hooks[id]);
      data->ids.push_back(id);
      data->items.emplace_back(data->hooks[id], at::zeros(data->hooks.shape(id, rows.size(), 1)));
    }
    return Capture(std::shared_ptr<const CaptureData>(std::move(data)));
  }
  Cells measure(const Prompts&, const std::vector<Metric>&, const Edits&) override {
    throw Error("not in this engine");
  }
  Cells sweep(const Sweep&) override { throw Error("not in this engine"); }
  Generation generate(const Prompts& rows, const GenerateOptions&, const Edits&) override {
    return {.text = std::vector<std::string>(static_cast<std::size_t>(rows.size()), "ab"), .finish = {}};
  }
  Trainable trainable(const ModelInfo&, const Init&) override { throw Error("not in this engine"); }
  Stream stream(const Prompts&, const StreamOptions&) override { throw Error("not in this engine"); }

 private:
  Monitor& monitor_;
  TinyModel model_;
};

}  // namespace diopter::host::test
