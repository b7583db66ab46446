#include "generate.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>

namespace diopter::prompting {
namespace {

GenerateOptions options_of(const Params& params) {
  GenerateOptions options{.max_new_tokens = params.get<Index>("max_new_tokens"),
                          .top_k = params.get<Index>("top_k"),
                          .temperature = params.get<double>("temperature"),
                          .top_p = params.get<double>("top_p"),
                          .stop = params.get<std::vector<std::string>>("stop"),
                          .log_probs = true};
  options.seeds.resize(static_cast<std::size_t>(params.get<Index>("samples")));
  if (params.get<std::string>("at_end_token") == "go_on") options.at_end_token = AtEndToken::GoOn;
  return options;
}

std::string word(Finish finish) {
  switch (finish) {
    case Finish::Length: return "length";
    case Finish::EndToken: return "end_token";
    case Finish::StopString: return "stop_string";
    case Finish::Context: return "context";
  }
  throw Error("a text ended for a reason without a name; the plugin is older than its host");
}

// "coefficient 4, coefficient_2 -1" of each cell, last axis fastest; "" without axes.
std::vector<std::string> names_of(const std::vector<Axis>& axes) {
  std::vector<std::string> names = {""};
  for (const Axis& axis : axes) {
    std::vector<std::string> finer;
    for (const std::string& name : names) {
      for (const double value : axis.reals) {
        std::ostringstream out;
        out << name << (name.empty() ? "" : ", ") << axis.name << ' ' << value;
        finer.push_back(out.str());
      }
    }
    names = std::move(finer);
  }
  return names;
}

// [prompt, sample, new] of all cells -> [axis..., prompt, sample, longest new]
Tensor stacked(const std::vector<Tensor>& cells, double pad, const std::vector<Axis>& axes) {
  Index longest = 0;
  for (const Tensor& cell : cells) longest = std::max(longest, cell.size(-1));
  std::vector<Tensor> whole;
  for (const Tensor& cell : cells) whole.push_back(at::constant_pad_nd(cell, {0, longest - cell.size(-1)}, pad));
  std::vector<Index> shape;
  for (const Axis& axis : axes) shape.push_back(static_cast<Index>(axis.reals.size()));
  for (const Index size : whole.front().sizes()) shape.push_back(size);
  return at::stack(whole).view(shape);
}

void log_rows(Log& log, const std::string& edit, const Prompts& prompts, const Generation& made) {
  const Tensor lengths = made.lengths.contiguous(), means = at::nanmean(made.log_probs, -1).contiguous();
  const Tensor index = prompts.rows();
  const Index samples = lengths.size(1);
  for (std::size_t i = 0; i < made.text.size(); ++i) {
    const auto at = static_cast<Index>(i);
    log.row("texts", {edit, index[at / samples].item<Index>(), at % samples, made.text[i], word(made.finish[i]),
                      lengths.const_data_ptr<Index>()[at], means.const_data_ptr<double>()[at]});
  }
}

}  // namespace

Generate::Generate(const Params& params) : options_(options_of(params)) { check(options_); }

void Generate::run(Context& ctx) {
  const Prompts& prompts = ctx.prompts();
  const std::vector<Axis> axes = ctx.edits().axes();
  if (axes.size() > 2) throw Error("the edits have more than two lists of coefficients; make several runs of them");
  const Tensor seeds =
      at::randint(std::numeric_limits<Index>::max(), {std::ssize(options_.seeds)}, ctx.rng("samples"), at::kLong);
  std::copy_n(seeds.const_data_ptr<Index>(), seeds.numel(), options_.seeds.begin());

  const std::vector<Edits> cells = ctx.edits().cells();  // one, when nothing is listed
  const std::vector<std::string> names = names_of(axes);
  std::vector<Tensor> tokens, log_probs, lengths;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const Generation made = ctx.generate(prompts, options_, cells[i]);
    log_rows(ctx.log(), names[i], prompts, made);
    tokens.push_back(made.tokens);
    log_probs.push_back(made.log_probs);
    lengths.push_back(made.lengths);
  }
  const Labels labels{.prompts = prompts, .axes = axes};
  const Tensor log_prob = stacked(log_probs, std::nan(""), axes);
  ctx.log().tensor("tokens", stacked(tokens, -1, axes), labels);
  ctx.log().tensor("log_prob", log_prob, labels);
  ctx.log().tensor("mean_log_prob", at::nanmean(log_prob, -1), labels);
  const Tensor length = stacked(lengths, 0, axes).to(at::kDouble);  // [axis..., prompt, sample]
  if (!axes.empty()) ctx.log().tensor("mean_length", length.flatten(-2).mean(-1), {.axes = axes});
  ctx.log().metric("length", length.mean().item<double>());
  ctx.log().metric("token_log_prob", at::nanmean(log_prob).item<double>());
  ctx.log().figure("texts_table", {.as = "table", .of = "texts"});
  if (!axes.empty())
    ctx.log().figure("curve", {.as = "line", .of = "mean_log_prob", .x = "coefficient", .colour = "prompt"});
}

}  // namespace diopter::prompting
