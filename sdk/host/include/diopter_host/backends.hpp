// What the SDK's Context, Model, Log, Stream and Trainable forward to. The host implements these; plugins never see
// them.
#pragma once

#include <ATen/core/Generator.h>

#include <diopter/context.hpp>
#include <diopter_host/specs.hpp>

namespace diopter {
inline namespace abi1 {

class DIOPTER_API ModelBackend {
 public:
  virtual ~ModelBackend();
  virtual const ModelInfo& info() const = 0;
  virtual const HookTable& hook_table() const = 0;
  virtual Tensor unembed(const Tensor& resid) const = 0;
  virtual Readout read(const Tensor& resid, const Read& what) const = 0;
  virtual Direction logit_direction(const Tensor& answer, const Tensor& foil) const = 0;
  virtual Tensor weight(Text role, Index layer) const = 0;
  virtual const TokenCodec* codec() const = 0;  // null: no tokenizer
};

class DIOPTER_API StreamBackend {
 public:
  virtual ~StreamBackend();
  virtual std::vector<Batch> next() = 0;
  virtual Index epoch() const = 0;
};

class DIOPTER_API TrainableBackend {
 public:
  virtual ~TrainableBackend();
  virtual const ModelInfo& info() const = 0;
  virtual Tensor forward(const Tensor& inputs) = 0;
  virtual Tensor loss(const Batch& batch) = 0;
  virtual double backward(const std::vector<Batch>& batches) = 0;
  virtual std::vector<Tensor> parameters() const = 0;
  virtual void step(const AdamW& with) = 0;
  virtual Index steps() const = 0;
  virtual void save(const Path& directory) const = 0;
  virtual bool resume(const Path& directory) = 0;
  virtual void attach(const std::shared_ptr<StreamBackend>& stream) = 0;
  // A Hugging Face directory: config.json, model.safetensors and, if a stream was attached, its data set's
  // tokenizer.json.
  virtual void export_model(const Path& directory) const = 0;
};

// What the engine offers a run: implemented by engine::Session, used by the host's Context.
class DIOPTER_API EngineBackend {
 public:
  virtual ~EngineBackend();
  virtual ModelBackend& model() = 0;  // Error for runs without a model
  virtual Capture capture(const Prompts& rows, const HookSet& points, const Where& where, const Edits& edits) = 0;
  virtual Cells measure(const Prompts& rows, const std::vector<Metric>& metrics, const Edits& edits) = 0;
  virtual Cells sweep(const Sweep& sweep) = 0;
  virtual Generation generate(const Prompts& rows, const GenerateOptions& options, const Edits& edits) = 0;
  virtual Trainable trainable(const ModelInfo& shape, const Init& init) = 0;
  virtual Stream stream(const Prompts& data, const StreamOptions& options) = 0;
};

// What the engine tells the run while it works: progress, warnings, records of edits. Implemented by the host.
class DIOPTER_API RunMonitor {
 public:
  virtual ~RunMonitor();
  virtual void progress(Text what, Index done, Index total, Text extra) = 0;  // [any]
  virtual void check_stop() = 0;                                              // [main] throws Stopped
  virtual bool stop_requested() const noexcept = 0;                           // [any]
  virtual void warn(Text guard, Text sentence) = 0;                           // Error when strict
  virtual void event(Text kind, Text sentence) = 0;  // recorded, not shown: "edit changed nothing"
  // Edits and observed points are checked against the kind's table before a forward: Error when no row covers `id`.
  virtual void check_observes(const HookPoint& point) = 0;
  virtual void check_edits(const HookPoint& point) = 0;
  virtual at::Generator rng(Text stream) = 0;
};

class DIOPTER_API LogBackend {
 public:
  virtual ~LogBackend();
  virtual void metric(Text name, double value, Index step, double standard_error) = 0;
  virtual void tensor(Text name, const Tensor& value, const Labels& labels) = 0;
  virtual void table(Text name, std::vector<Column> columns, const Labels& labels) = 0;
  virtual void row(Text table, std::vector<std::variant<Index, double, std::string>> cells) = 0;
  virtual void figure(Text name, const Figure& figure) = 0;
  virtual void text(Text name, Text markdown) = 0;
  virtual void model(Text name, const Trainable& made) = 0;
  virtual void dataset(Text name, const Prompts& rows, const Path& tokenizer) = 0;
  virtual void file(Text name, const Path& made) = 0;
  virtual void warn(Text guard, Text sentence) = 0;
};

class DIOPTER_API ContextBackend {
 public:
  virtual ~ContextBackend();
  virtual const Params& params() const = 0;
  virtual const Model& model() const = 0;
  virtual const Edits& edits() const = 0;
  virtual const Prompts& prompts(Text parameter) const = 0;
  // All check the calling thread; the others, for generate() and for trainable() and stream(), that the table says
  // needs(Generation) and needs(Training).
  virtual EngineBackend& engine() = 0;
  virtual EngineBackend& generation_engine() = 0;
  virtual EngineBackend& training_engine() = 0;
  virtual Log& log() = 0;
  virtual Path scratch() = 0;
  virtual at::Generator rng(Text stream) = 0;
  virtual void progress(Text what, Index done, Index total, Text extra) = 0;
  virtual bool stop_requested() const noexcept = 0;
};

}  // namespace abi1
}  // namespace diopter
