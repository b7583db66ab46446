#include <ATen/ATen.h>

#include <diopter_host/backends.hpp>

#include "base/hints.hpp"

namespace diopter {
inline namespace abi1 {
namespace {

const TokenCodec& codec_of(const ModelBackend& backend) {
  if (const TokenCodec* codec = backend.codec()) return *codec;
  throw Error("model " + base::quoted(backend.info().name) + " has no tokenizer, so text cannot become tokens or back");
}

}  // namespace

const ModelInfo& Model::info() const { return backend_->info(); }
const HookTable& Model::hook_table() const { return backend_->hook_table(); }
Tensor Model::unembed(const Tensor& resid) const { return backend_->unembed(resid); }
Readout Model::read(const Tensor& resid, const Read& what) const { return backend_->read(resid, what); }
Tensor Model::weight(Text role, Index layer) const { return backend_->weight(role, layer); }

Direction Model::logit_direction(const Tensor& answer, const Tensor& foil) const {
  return backend_->logit_direction(answer, foil);
}

Index Model::token(Text text) const { return single_token(codec_of(*backend_), text); }

std::string Model::text(Index token) const {
  const TokenCodec& codec = codec_of(*backend_);
  if (token < 0 || token >= codec.size()) {
    throw Error("token " + std::to_string(token) + " is out of range: the vocabulary has 0.." +
                std::to_string(codec.size() - 1));
  }
  return codec.text(token);
}

Tensor Model::encode(Text text) const {
  const std::vector<Index> ids = codec_of(*backend_).encode(text);
  return at::tensor(at::ArrayRef<Index>(ids), at::kLong);
}

Index single_token(const TokenCodec& codec, Text text) {
  const std::vector<Index> ids = codec.continuation(text);  // a single token stands inside a prompt or after it
  if (ids.size() == 1) return ids.front();
  std::string pieces;
  for (const Index id : ids) pieces += (pieces.empty() ? "" : ", ") + base::quoted(codec.text(id));
  throw Error(base::quoted(text) + " is " + std::to_string(ids.size()) + " tokens" +
              (pieces.empty() ? "" : " (" + pieces + ")") + "; give one");
}

}  // namespace abi1
}  // namespace diopter
