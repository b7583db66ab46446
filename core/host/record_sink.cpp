#include "host/record_sink.hpp"

#include "base/utf8.hpp"

namespace diopter::host {

RecordSink::~RecordSink() = default;

base::Json dims_json(const std::vector<Dim>& dims) {
  base::Json out = base::Json::array();
  for (const Dim& dim : dims) {
    base::Json item = {{"name", dim.name}};
    if (!dim.coord.empty()) item["coord"] = dim.coord;
    if (!dim.reals.empty()) item["coord"] = dim.reals;
    if (!dim.labels.empty()) {
      base::Json labels = base::Json::array();
      for (const std::string& label : dim.labels) labels.push_back(base::escape_invalid_utf8(label));
      item["labels"] = std::move(labels);
    }
    if (!dim.ids.empty()) item["ids"] = dim.ids;
    out.push_back(std::move(item));
  }
  return out;
}

}  // namespace diopter::host
