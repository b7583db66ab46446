#include "engine/packed/long_attention.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstring>
#include <limits>

namespace diopter::engine {
namespace {

constexpr Index kQueryBlock = 128;  // few enough that the masked part of a block of scores is small

at::Tensor rows_of(const std::vector<const float*>& from, Index first, Index count, Index size) {
  at::Tensor out = at::empty({count, size}, at::kFloat);
  for (Index i = 0; i < count; ++i) {
    std::memcpy(out.mutable_data_ptr<float>() + i * size, from[static_cast<std::size_t>(first + i)],
                static_cast<std::size_t>(size) * sizeof(float));
  }
  return out;
}

// Consecutive query heads that read one kv head; kv heads one after the other.
struct HeadRange {
  Index first, count, kv_heads;
};

std::vector<HeadRange> ranges(const std::vector<Index>& heads, const ModelInfo& info) {
  if (heads.empty()) return {{0, info.n_heads, info.n_kv_heads}};
  std::vector<HeadRange> out;
  for (const Index head : heads) out.push_back({head, 1, 1});
  return out;
}

}  // namespace

double attend_long(const LongAttention& lane, const model::ScoreRule& rule, const ModelInfo& info) {
  const Index e = info.d_head, group = info.n_heads / info.n_kv_heads;
  const auto queries = static_cast<Index>(lane.q.size());
  const Index all = lane.position.back() + 1;
  const auto seen_from = [&](Index position) {
    return lane.window > 0 ? std::max<Index>(0, position - lane.window + 1) : 0;
  };
  const Index origin = seen_from(lane.position.front());
  const at::Tensor keys = rows_of(lane.k, origin, all - origin, info.n_kv_heads * e).view({-1, info.n_kv_heads, e});
  const at::Tensor values = rows_of(lane.v, origin, all - origin, info.n_kv_heads * e).view({-1, info.n_kv_heads, e});
  const float hidden = -std::numeric_limits<float>::infinity();
  double operations = 0;
  for (Index block = 0; block < queries; block += kQueryBlock) {
    const Index count = std::min(kQueryBlock, queries - block);
    const Index from = seen_from(lane.position[static_cast<std::size_t>(block)]);
    const Index end = lane.position[static_cast<std::size_t>(block + count - 1)] + 1, seen = end - from;
    const at::Tensor q = rows_of(lane.q, block, count, info.n_heads * e).view({count, info.n_heads, e});
    for (const HeadRange& heads : ranges(lane.heads, info)) {
      const Index kv_first = heads.first / group, per = heads.count / heads.kv_heads;
      // [kv head, (head of its group, query), e]
      const at::Tensor own =
          q.narrow(1, heads.first, heads.count).transpose(0, 1).reshape({heads.kv_heads, per * count, e});
      const auto of_kv = [&](const at::Tensor& x) {
        return x.narrow(0, from - origin, seen).narrow(1, kv_first, heads.kv_heads).transpose(0, 1);
      };
      at::Tensor scores = at::bmm(own, of_kv(keys).transpose(1, 2));
      if (rule.softcap > 0) scores.mul_(rule.scale / rule.softcap).tanh_().mul_(rule.softcap);
      else scores.mul_(rule.scale);
      float* row = scores.mutable_data_ptr<float>();
      for (Index head = 0; head < heads.count; ++head) {
        for (Index i = 0; i < count; ++i, row += seen) {
          const Index position = lane.position[static_cast<std::size_t>(block + i)];
          std::fill(row, row + (seen_from(position) - from), hidden);
          std::fill(row + (position + 1 - from), row + seen, hidden);
        }
      }
      const at::Tensor z = at::bmm(at::softmax(scores, -1), of_kv(values)).view({heads.count, count, e}).contiguous();
      const float* part = z.const_data_ptr<float>();
      for (Index head = 0; head < heads.count; ++head) {
        for (Index i = 0; i < count; ++i, part += e) {
          std::memcpy(lane.z[static_cast<std::size_t>(block + i)] + (heads.first + head) * e, part,
                      static_cast<std::size_t>(e) * sizeof(float));
        }
      }
      operations += 4.0 * static_cast<double>(heads.count * count) * static_cast<double>(seen * e);
    }
  }
  return operations;
}

}  // namespace diopter::engine
