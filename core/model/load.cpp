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
#include "model/config_source.hpp"
#include "model/family.hpp"
#include "model/finite.hpp"
#include "model/stored_layout.hpp"
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

// What wrappers put before every name: torch.compile and DataParallel.
std::string unwrapped(const std::string& name) {
  std::string_view bare = name;
  for (bool again = true; again;) {
    again = false;
    for (const std::string_view wrapper : {"_orig_mod.", "module."}) {
      if (!bare.starts_with(wrapper)) continue;
      bare.remove_prefix(wrapper.size());
      again = true;
    }
  }
  return std::string(bare);
}

// The checkpoint's weights under unprefixed names, without buffers. Twice the same name (with and without prefix) is a
// defect.
Views unprefixed(const Views& all, const Family& family, const ModelInfo& info, const std::string& where) {
  Views weights;
  for (const auto& [stored_name, view] : all) {
    const std::string name = unwrapped(stored_name);
    const bool prefixed = name.compare(0, family.base_prefix.size(), family.base_prefix) == 0;
    std::string bare = prefixed ? name.substr(family.base_prefix.size()) : name;
    if (bare == family.other_head_name) bare = family.head_name;
    if (is_buffer(bare, family)) continue;
    if (family.rename != nullptr) bare = family.rename(bare, info);
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
  const weights::TensorView &a = head->second, &b = embed->second;
  if (a.dtype != b.dtype || a.shape != b.shape || a.strides != b.strides || a.bytes != b.bytes) {
    throw UserError(Exit::Refused,
                    fmt::format("{}: expected {} to be equal to {} (tie_word_embeddings is true), got other numbers",
                                where, family.head_name, embed_name),
                    "if the head is its own, set \"tie_word_embeddings\": false in config.json", "model.weights");
  }
  stored.erase(head);
}

std::string defect(const StoredName& expected, const Views& stored, const ModelInfo& info) {
  const std::vector<Index> shape = stored_shape(info, expected);
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
    if (is_absent(e.how)) continue;
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

// A bias that the layout has at a place of its own.
void refuse_unless_zero(const std::string& name, const at::Tensor& stored, const std::string& where) {
  if (stored.count_nonzero().item<std::int64_t>() == 0) return;
  throw UserError(
      Exit::Refused,
      fmt::format("{}: expected {} to be zero throughout, got other numbers: diopter has no bias at its place", where,
                  name),
      {}, "model.weights");
}

}  // namespace

LoadedModel load(const fs::path& path, at::ScalarType dtype) {
  LoadedModel model;
  const ConfigSource source = find_config(path);
  ModelInfo info = parse_config(source.config, source.file.string());
  info.name = model_name(path);
  const std::string where = path.string();
  const Family& family = find_family(info.family, where);
  const weights::Checkpoint checkpoint = weights::Checkpoint::open(path);
  const std::vector<StoredName> expected = family.stored_names(info);

  Views stored = unprefixed(checkpoint.tensors(), family, info, where);
  drop_tied_head(stored, info, family, expected.front().name, where);
  check_names_and_shapes(expected, stored, info, where);

  model.parameters = Parameters(info);
  std::string not_finite;
  for (const StoredName& e : expected) {
    if (is_absent(e.how)) {
      model.parameters.set(e.slot, in_slot(info, e, {}, dtype));
      continue;
    }
    const weights::TensorView& view = stored.at(e.name);
    if (const std::int64_t count = count_not_finite(view); count > 0)
      not_finite += fmt::format("\n  {}: {} of {}", e.name, count, weights::shape_text(view.shape));
    const at::Tensor tensor = as_tensor(view);
    if (e.how == Stored::Zero) refuse_unless_zero(e.name, tensor, where);
    model.parameters.set(e.slot, in_slot(info, e, tensor, dtype));
    // The numbers of a converted tensor would be in memory twice, as pages of the file too.
    if (view.mapped && model.parameters.get(e.slot.part, e.slot.layer).storage().data() != tensor.storage().data())
      base::forget_pages(view.bytes);
  }
  refuse_not_finite(not_finite, where);
  model.parameters.check();
  model.files = checkpoint.files();
  if (model.files.empty() || source.file != model.files.front()) model.files.insert(model.files.begin(), source.file);
  return model;
}

}  // namespace diopter::model
