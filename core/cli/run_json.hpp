// One run as a JSON document, schema diopter.run/1.
#pragma once

#include "base/canonical_json.hpp"
#include "store/reader.hpp"

namespace diopter::cli {

base::Json run_json(const store::RunDetail& run);
base::Json provenance_json(const store::RunDetail& run);

}  // namespace diopter::cli
