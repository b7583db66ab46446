// What a plugin logs, checked against its table and handed on complete. Metrics, texts, files, models and data sets go
// to the sink at once; tensors, tables and figures at finish(), when all their pieces are there. [main]
#pragma once

#include <exception>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <diopter_host/backends.hpp>

#include "host/assembled_tensor.hpp"
#include "host/logged_table.hpp"
#include "host/monitor.hpp"

namespace diopter::host {

class LogAssembler final : public LogBackend {
 public:
  // `scratch`: what file() may name lies in it, and models are written to its folder "outputs".
  LogAssembler(Monitor& monitor, RecordSink& sink, PieceFacts facts, std::filesystem::path scratch);

  void metric(Text name, double value, Index step, double standard_error) override;
  void tensor(Text name, const Tensor& value, const Labels& labels) override;
  void table(Text name, std::vector<Column> columns, const Labels& labels) override;
  void row(Text table, std::vector<std::variant<Index, double, std::string>> cells) override;
  void figure(Text name, const Figure& figure) override;
  void text(Text name, Text markdown) override;
  void model(Text name, const Trainable& made) override;
  void dataset(Text name, const Prompts& rows, const Path& tokenizer) override;
  void file(Text name, const Path& made) override;
  void warn(Text guard, Text sentence) override { monitor_.warn(guard, sentence); }

  // After a run that ended well. PluginError(Finish): missing_output, incomplete.
  void finish();
  // What the sink threw while the plugin logged (a full disk): not the plugin's fault. Throws it, if there is any.
  void rethrow_sink_error() const;

 private:
  const diopter_output& declared(Text name, std::uint32_t type);  // checks the thread too; Error
  void once(const diopter_output& row);                           // Error for the second text, file ... of a name
  LoggedTable& table_named(Text name);
  void check_drawn(Text figure, const char* key, Text output);
  bool was_written(const std::string& output) const;
  bool can_draw(const base::Json& figure) const;

  // Calls the sink, remembering what it throws.
  template <class Call>
  void deliver(Call&& call) {
    try {
      call();
    } catch (...) {
      sink_error_ = std::current_exception();
      throw;
    }
  }

  std::exception_ptr sink_error_;
  Monitor& monitor_;
  RecordSink& sink_;
  PieceFacts facts_;
  std::filesystem::path scratch_;
  std::vector<diopter_output> outputs_;
  std::set<std::string, std::less<>> written_;
  std::set<std::pair<std::string, Index>> metric_steps_;
  std::map<std::string, AssembledTensor, std::less<>> tensors_;
  std::map<std::string, LoggedTable, std::less<>> tables_;
  std::vector<std::pair<std::string, base::Json>> figures_;
};

}  // namespace diopter::host
