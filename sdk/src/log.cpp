#include <diopter_host/backends.hpp>

namespace diopter {
inline namespace abi1 {

void Log::metric(Text name, double value, Index step, double standard_error) {
  backend_->metric(name, value, step, standard_error);
}
void Log::tensor(Text name, const Tensor& value, const Labels& labels) { backend_->tensor(name, value, labels); }
void Log::table(Text name, std::initializer_list<Column> columns, const Labels& labels) {
  backend_->table(name, std::vector<Column>(columns), labels);
}
void Log::row(Text table, std::initializer_list<std::variant<Index, double, std::string>> cells) {
  backend_->row(table, std::vector<std::variant<Index, double, std::string>>(cells));
}
void Log::figure(Text name, const Figure& figure) { backend_->figure(name, figure); }
void Log::text(Text name, Text markdown) { backend_->text(name, markdown); }
void Log::model(Text name, const Trainable& made) { backend_->model(name, made); }
void Log::dataset(Text name, const Prompts& rows, Path tokenizer) { backend_->dataset(name, rows, tokenizer); }
void Log::file(Text name, Path made_in_scratch) { backend_->file(name, made_in_scratch); }
void Log::warn(Text guard, Text sentence) { backend_->warn(guard, sentence); }

}  // namespace abi1
}  // namespace diopter
