// Results. Names must be declared in the kind's table; everything is copied; nothing of the plugin's survives the call.
#pragma once

#include <initializer_list>
#include <string>
#include <variant>

#include <diopter/sweep.hpp>
#include <diopter/training.hpp>

namespace diopter {
inline namespace abi1 {

struct Column {
  Text name;
  Tensor value;
};
// The keys of [[report.figure]]; drawn by the report. Left out if an optional `of` is absent.
struct Figure {
  Text as, of, x = {}, y = {}, facet = {}, slider = {}, over = {}, each = {}, colour = {}, text = {}, title = {},
               origin = "lower";
  double centre = kNone;
};

class LogBackend;

class DIOPTER_API Log {
 public:
  void metric(Text name, double value, Index step = kUnset, double standard_error = kNone);
  // Labels fix the dimensions that `value` lacks. Pieces are put together; a cell written twice or never is an Error.
  void tensor(Text name, const Tensor& value, const Labels& labels = {});
  void table(Text name, std::initializer_list<Column> columns, const Labels& labels = {});
  void row(Text table, std::initializer_list<std::variant<Index, double, std::string>> cells);
  void figure(Text name, const Figure& figure);
  void text(Text name, Text markdown);
  void model(Text name, const Trainable& made);  // adds the tokenizer of the streamed data set
  void dataset(Text name, const Prompts& rows, Path tokenizer = {});
  void file(Text name, Path made_in_scratch);
  void warn(Text guard, Text sentence);  // recorded with the run and shown beside its figures; an Error when strict

  explicit Log(LogBackend& backend) : backend_(&backend) {}

 private:
  LogBackend* backend_;
};

}  // namespace abi1
}  // namespace diopter
