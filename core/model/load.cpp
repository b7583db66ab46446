#include "model/load.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <map>
#include <optional>
#include <set>

#include "base/error.hpp"
#include "base/glob.hpp"
#include "base/mapped_file.hpp"
#include "model/config.hpp"
#include "model/family.hpp"
#include "model/finite.hpp"
#include "model/stored_tensor.hpp"
#include "weights/checkpoint.hpp"

namespace diopter::model {
namespace fs = std::filesystem;
namespace {

using base::Exit;
using base::UserError;
using Views = std::map<std::string, weights::TensorView>;

bool is_buffer(const std::string& name, const Family& family) {
  for (const std::string& glob : family.buffers) {
    if (base::matches_glob(name, glob)) return true;
  }
  return false;
}

// The checkpoint's weights under unprefixed names, without buffers. Twice the same name (with and without prefix) is a
// defect.
Views unprefixed(const Views& all, const Family& family, const std::string& where) {
  Views weights;
  for (const auto& [name, view] : all) {
    const bool prefixed = name.compare(0, family.base_prefix.size(), family.base_prefix) == 0;
    std::string bare = prefixed ? name.substr(family.base_prefix.size()) : name;
    if (bare == family.other_head_name) bare = family.head_name;
    if (is_buffer(bare, family)) continue;
    if (!weights.emplace(bare, view).second) {
      throw UserError(
          Exit::Refused,
          fmt::format("{}: expected every weight once, got {} with and without '{}'", where, bare, family.base_prefix),
          "export the model again", "model.weights");
    }
  }
  return weights;
}

// A tied model may store its head as well, as long as it is the embedding.
void drop_tied_head(Views& stored, const ModelInfo& info, const Family& family, const std::string& embed_name,
                    const std::string& where) {
  const auto head = stored.find(family.head_name), embed = stored.find(embed_name);
  if (!info.tied_embeddings || head == stored.end() || embed == stored.end()) return;
  if (head->second.dtype != embed->second.dtype || head->second.bytes != embed->second.bytes) {
    throw UserError(Exit::Refused,
                    fmt::format("{}: expected {} to be equal to {} (tie_word_embeddings is true), got other numbers",
                                where, family.head_name, embed_name),
                    "if the head is its own, set \"tie_word_embeddings\": false in config.json", "model.weights");
  }
  stored.erase(head);
}

std::string defect(const StoredName& expected, const Views& stored, const ModelInfo& info) {
  std::vector<Index> shape = slot_shape(info, expected.slot.part);
  if (expected.how == Stored::Transposed) std::swap(shape[0], shape[1]);
  const auto found = stored.find(expected.name);
  if (found == stored.end()) return fmt::format("\n  missing: {} {}", expected.name, weights::shape_text(shape));
  if (found->second.shape != shape) {
    return fmt::format("\n  misshapen: {} is {}, expected {}", expected.name, weights::shape_text(found->second.shape),
                       weights::shape_text(shape));
  }
  if (!scalar_type(found->second.dtype)) {
    return fmt::format("\n  wrong dtype: {} is {}, expected F32, F16, BF16 or F64", expected.name,
                       weights::dtype_name(found->second.dtype));
  }
  return {};
}

void check_names_and_shapes(const std::vector<StoredName>& expected, const Views& stored, const ModelInfo& info,
                            const std::string& where) {
  std::string defects;
  std::set<std::string> names;
  for (const StoredName& e : expected) {
    names.insert(e.name);
    defects += defect(e, stored, info);
  }
  for (const auto& [name, view] : stored) {
    if (names.count(name) == 0)
      defects += fmt::format("\n  not expected: {} {}", name, weights::shape_text(view.shape));
  }
  if (!defects.empty()) {
    throw UserError(Exit::Refused,
                    fmt::format("{}: weights and config.json of the {} model contradict each other:{}", where,
                                info.family, defects),
                    "use config and weights of the same model", "model.weights");
  }
}

void refuse_not_finite(const std::string& defects, const std::string& where) {
  if (!defects.empty()) {
    throw UserError(Exit::Refused,
                    fmt::format("{}: expected finite weights, got NaN or infinite ones in{}", where, defects),
                    "the checkpoint is damaged or its training diverged", "model.weights");
  }
}

at::Tensor in_slot(const StoredName& expected, const weights::TensorView& view, at::ScalarType dtype) {
  const at::Tensor stored = as_tensor(view);
  switch (expected.how) {
    case Stored::Transposed: return stored.to(dtype).t();
    case Stored::GainMinusOne: return stored.to(dtype).to(dtype == at::kDouble ? at::kDouble : at::kFloat) + 1;
    case Stored::AsIs: break;
  }
  return stored.to(dtype);
}

}  // namespace

LoadedModel load(const fs::path& folder, at::ScalarType dtype) {
  LoadedModel model;
  ModelInfo info = read_config(folder);
  info.name = fs::absolute(folder).lexically_normal().filename().string();
  const Family& family = find_family(info.family, folder.string());
  const weights::Checkpoint checkpoint = weights::Checkpoint::open(folder);
  const std::vector<StoredName> expected = family.stored_names(info);
  const std::string where = folder.string();

  Views stored = unprefixed(checkpoint.tensors(), family, where);
  drop_tied_head(stored, info, family, expected.front().name, where);
  check_names_and_shapes(expected, stored, info, where);

  model.parameters = Parameters(info);
  std::string not_finite;
  for (const StoredName& e : expected) {
    const weights::TensorView& view = stored.at(e.name);
    if (const std::int64_t count = count_not_finite(view); count > 0)
      not_finite += fmt::format("\n  {}: {} of {}", e.name, count, weights::shape_text(view.shape));
    model.parameters.set(e.slot, in_slot(e, view, dtype));
    // The numbers of a converted tensor would be in memory twice, as pages of the file too.
    if (view.mapped && scalar_type(view.dtype) != dtype) base::forget_pages(view.bytes);
  }
  refuse_not_finite(not_finite, where);
  model.parameters.check();
  model.files = checkpoint.files();
  model.files.insert(model.files.begin(), folder / "config.json");
  return model;
}

}  // namespace diopter::model
