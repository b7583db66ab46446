#include "make_corpus.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <fstream>

#include "corpus.hpp"
#include "tasks.hpp"

namespace training {
namespace {

using diopter::Context;
using diopter::Error;
using diopter::Index;
using diopter::Path;
using diopter::Prompts;

// int64 [row, longest], padded with -1.
at::Tensor padded(const auto& rows, auto ids_of) {
  std::size_t longest = 0;
  for (const auto& row : rows) longest = std::max(longest, ids_of(row).size());
  at::Tensor out = at::full({std::ssize(rows), static_cast<Index>(longest)}, -1, at::kLong);
  auto* to = out.mutable_data_ptr<Index>();
  for (const auto& row : rows) {
    std::copy(ids_of(row).begin(), ids_of(row).end(), to);
    to += longest;
  }
  return out;
}

Prompts prompts_of(const Documents& documents) {
  const Index rows = documents.size(), width = static_cast<Index>(kLongestDocument);
  at::Tensor ids = at::full({rows, width}, -1, at::kLong), counted = at::zeros({rows, width}, at::kBool);
  for (Index row = 0; row < rows; ++row) {
    const Index first = documents.offsets[static_cast<std::size_t>(row)],
                last = documents.offsets[static_cast<std::size_t>(row) + 1];
    std::copy(documents.ids.begin() + first, documents.ids.begin() + last, ids.mutable_data_ptr<Index>() + row * width);
    std::copy(documents.counted.begin() + first, documents.counted.begin() + last,
              counted.mutable_data_ptr<bool>() + row * width);
  }
  return Prompts::tokens(ids).with("counted", counted);
}

Prompts prompts_of(const std::vector<TaskRow>& rows) {
  std::vector<std::string> tasks, texts;
  for (const TaskRow& row : rows) {
    tasks.push_back(row.task);
    texts.push_back(row.text);
  }
  return Prompts::tokens(padded(
                             rows, [](const TaskRow& row) -> auto& { return row.ids; }))
      .with("group", tasks)
      .with("written", texts)
      .with("answer", padded(
                          rows, [](const TaskRow& row) -> auto& { return row.answers; }))
      .with("foil", padded(
                        rows, [](const TaskRow& row) -> auto& { return row.foils; }));
}

void log_kinds(Context& ctx, const Documents& documents) {
  struct Count {
    Index documents = 0, ids = 0, counted = 0;
  };
  std::array<Count, kKinds> counts;
  for (Index d = 0; d < documents.size(); ++d) {
    Count& count = counts[static_cast<std::size_t>(documents.kinds[static_cast<std::size_t>(d)])];
    ++count.documents;
    for (Index i = documents.offsets[static_cast<std::size_t>(d)];
         i < documents.offsets[static_cast<std::size_t>(d) + 1]; ++i) {
      ++count.ids;
      count.counted += documents.counted[static_cast<std::size_t>(i)];
    }
  }
  for (std::size_t kind = 0; kind < kKinds; ++kind) {
    const Count& count = counts[kind];
    ctx.log().row("kinds",
                  {std::string(kind_name(static_cast<Kind>(kind))), count.documents, count.ids, count.counted});
  }
}

std::string samples(const Corpus& corpus) {
  std::string out;
  for (Index d = 0; d < std::min<Index>(24, corpus.documents.size()); ++d) {
    const auto row = static_cast<std::size_t>(d);
    out += "- " + std::string(kind_name(corpus.documents.kinds[row])) + ": `";
    for (Index i = corpus.documents.offsets[row]; i < corpus.documents.offsets[row + 1]; ++i) {
      out += corpus.tokenizer.bytes(corpus.documents.ids[static_cast<std::size_t>(i)]);
    }
    out += "`\n";
  }
  return out;
}

Path written_tokenizer(const Path& folder, const WordTokenizer& tokenizer) {
  const Path file = folder / "tokenizer.json";
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << tokenizer.json();
  if (!out.flush()) throw Error("cannot write " + file.string() + "; is the disk full?");
  return file;
}

}  // namespace

void MakeCorpus::run(Context& ctx) {
  const Lexicon lexicon = read_lexicon(ctx.params().get<Path>("lexicon"));
  at::Generator generator = ctx.rng("corpus");
  const auto seed = static_cast<std::uint64_t>(at::empty({1}, at::kLong).random_(generator).item<Index>());
  const Corpus corpus =
      make_corpus(lexicon, seed, ctx.params().get<Index>("documents"), [&ctx](Index done, Index total) {
        ctx.progress("documents", done, total);
        if (ctx.stop_requested()) throw diopter::Stopped("stopped while the corpus was made.");
      });

  const Path tokenizer = written_tokenizer(ctx.scratch(), corpus.tokenizer);
  ctx.log().dataset("documents", prompts_of(corpus.documents), tokenizer);
  ctx.log().dataset("heldout", prompts_of(task_rows(lexicon, corpus.tokenizer, seed)), tokenizer);
  ctx.log().metric("d_vocab", static_cast<double>(corpus.tokenizer.size()));
  ctx.log().metric("mean_length",
                   static_cast<double>(corpus.documents.ids.size()) / static_cast<double>(corpus.documents.size()));
  log_kinds(ctx, corpus.documents);
  ctx.log().text("samples", samples(corpus));
}

}  // namespace training
