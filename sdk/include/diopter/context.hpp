// What an analysis works with. Valid during run() only.
//
// Threads: [main] the thread that called run(); [forward] inside a host forward, on the caller's thread; [any] every
// thread. A [main] function called elsewhere is an Error. After an interrupt every [main] call throws Stopped at its
// next forward.
#pragma once

#include <vector>

#include <diopter/edits.hpp>
#include <diopter/error.hpp>
#include <diopter/generation.hpp>
#include <diopter/log.hpp>
#include <diopter/metric.hpp>
#include <diopter/model.hpp>
#include <diopter/params.hpp>
#include <diopter/prompts.hpp>
#include <diopter/sweep.hpp>
#include <diopter/training.hpp>

namespace at {
struct Generator;
}

namespace diopter {
inline namespace abi1 {

class ContextBackend;

class DIOPTER_API Context {
 public:
  const Params& params() const;
  const Model& model() const;
  const Edits& edits() const;                         // the run's [[run.edit]]. needs(Edits)
  const Prompts& prompts(Text parameter = {}) const;  // the run's, or those a DIOPTER_PROMPTS parameter names
  Capture capture(const Prompts& rows, const HookSet& points, const Where& where = {},
                  const Edits& edits = {});  // [main]
  Cells measure(const Prompts& rows, const std::vector<Metric>& metrics,
                const Edits& edits = {});  // [main] axes: lists in the edits
  Cells sweep(const Sweep& sweep);         // [main]
  // [main] needs(Generation). Edits: one cell; what they touch depends on absolute positions alone. An edit that can
  // never fire is an Error.
  Generation generate(const Prompts& rows, const GenerateOptions& options = {}, const Edits& edits = {});
  Trainable trainable(const ModelInfo& shape, const Init& init = {});     // [main] needs(Training)
  Stream stream(const Prompts& data, const StreamOptions& options = {});  // [main]
  Log& log();
  Path scratch();                  // [main] kept per fingerprint until a success, for checkpoints
  at::Generator rng(Text stream);  // [main] seeded by SHA-256(run seed, stream); same stream, same generator
  void progress(Text what, Index done, Index total, Text extra = {});  // [any] shown at <= 10 Hz
  bool stop_requested() const noexcept;                                // [any] long loops of a plugin's own poll this

  explicit Context(ContextBackend& backend) : backend_(&backend) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

 private:
  ContextBackend* backend_;
};

// The class to derive from. Its constructor takes `const Params&` or nothing; cross-parameter checks belong there.
class DIOPTER_API Analysis {
 public:
  virtual ~Analysis();
  virtual void run(Context& context) = 0;
};

}  // namespace abi1
}  // namespace diopter
