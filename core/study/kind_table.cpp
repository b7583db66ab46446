#include "study/kind_table.hpp"

#include <algorithm>
#include <cstring>

namespace diopter::study {
namespace {

template <class Row>
std::vector<Row> rows(const Row* first, std::uint32_t count, std::uint32_t stride) {
  std::vector<Row> out;
  out.reserve(count);
  const char* bytes = reinterpret_cast<const char*>(first);
  for (std::uint32_t i = 0; i < count; ++i) {
    Row row{};
    std::memcpy(&row, bytes + std::size_t{i} * stride, std::min<std::size_t>(stride, sizeof(Row)));
    out.push_back(row);
  }
  return out;
}

}  // namespace

std::vector<diopter_param> params_of(const diopter_kind& kind) {
  return rows(kind.params, kind.param_count, kind.param_size);
}
std::vector<diopter_output> outputs_of(const diopter_kind& kind) {
  return rows(kind.outputs, kind.output_count, kind.output_size);
}
std::vector<diopter_hook> hooks_of(const diopter_kind& kind) {
  return rows(kind.hooks, kind.hook_count, kind.hook_size);
}

std::vector<std::string> split_words(std::string_view text, char separator) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    if (end > 0) out.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string param_type_name(std::uint32_t type) {
  switch (type) {
    case DIOPTER_INT: return "a whole number";
    case DIOPTER_FLOAT: return "a number";
    case DIOPTER_BOOL: return "true or false";
    case DIOPTER_STRING: return "a string";
    case DIOPTER_PATH: return "the name of a file";
    case DIOPTER_CHOICE: return "a string";
    case DIOPTER_TOKEN: return "a string of one token";
    case DIOPTER_HOOKS: return "a hook name or glob";
    case DIOPTER_POSITIONS: return "positions";
    case DIOPTER_PROMPTS: return "the name of a prompt set";
    case DIOPTER_INPUT: return "the name of a file";
    case DIOPTER_INT_LIST: return "a list of whole numbers";
    case DIOPTER_FLOAT_LIST: return "a list of numbers";
    case DIOPTER_STRING_LIST: return "a list of strings";
    case DIOPTER_TOKEN_LIST: return "a list of tokens";
    case DIOPTER_CHOICE_LIST: return "a list of strings";
    case DIOPTER_INPUT_LIST: return "a list of files";
    case DIOPTER_METRIC_LIST: return "a list of metrics";
    default: return "of an unknown type";
  }
}

bool is_list_type(std::uint32_t type) { return type >= DIOPTER_INT_LIST && type <= DIOPTER_METRIC_LIST; }

}  // namespace diopter::study
