// What an analysis logs, on its way to the spool: the host's RecordSink on a Recorder.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <diopter_host/specs.hpp>

#include "exec/recorder.hpp"
#include "host/record_sink.hpp"

namespace diopter::exec {

struct Warning {
  std::string guard, sentence;
};

class Recording final : public host::RecordSink {
 public:
  // `made` is called for each model and data set once it is stored beside the run: (name, directory).
  using Progress =
      std::function<void(const std::string& what, std::int64_t done, std::int64_t total, const std::string& extra)>;
  Recording(Recorder& recorder, std::filesystem::path outputs, Progress progress)
      : recorder_(recorder), outputs_(std::move(outputs)), progress_(std::move(progress)) {}

  void metric(const std::string& name, double value, std::optional<std::int64_t> step,
              std::optional<double> standard_error) override;
  void tensor(const std::string& name, const at::Tensor& value, const std::vector<host::Dim>& dims) override;
  void table(const std::string& name, const base::Json& doc) override;
  void figure(const std::string& name, const base::Json& figure) override;
  void text(const std::string& name, const std::string& markdown) override;
  void model(const std::string& name, const std::filesystem::path& directory) override;
  void dataset(const std::string& name, const Prompts& rows, const std::filesystem::path& tokenizer) override;
  void file(const std::string& name, const std::filesystem::path& file) override;
  void event(Level level, const std::string& kind, const std::string& message) override;
  void progress(const std::string& what, std::int64_t done, std::int64_t total, const std::string& extra) override;

  // Token ids of the prompts, so that every number can be derived again.
  void prompts(const PromptsData& data);

  const std::vector<Warning>& warnings() const { return warnings_; }

 private:
  Recorder& recorder_;
  std::filesystem::path outputs_;  // <spool>/outputs/<fingerprint>: what later runs of the plan read
  Progress progress_;
  std::vector<Warning> warnings_;
};

}  // namespace diopter::exec
