// Writes the pages that the browser test opens: every figure kind, and text that tries to break out.
// usage: browser_pages OUTDIR PREFIX   (PREFIX/share/diopter/plotly.min.js)
#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <functional>
#include <iostream>
#include <limits>

#include "base/files.hpp"
#include "report/page.hpp"

namespace {

using namespace diopter::report;

const std::vector<std::string> kPrompt = {"<|endoftext|>", "When", " Mary", " and",  " John", " went",  " to", " the",
                                          " store",        ",",    " John", " gave", " a",    " drink", " to"};

Axis numbers(const std::string& name, std::size_t size) { return {name, size, {}, {}, {}}; }
Axis tokens(const std::string& name, const std::vector<std::string>& texts) {
  Axis axis{name, texts.size(), texts, {}, {}};
  for (std::size_t i = 0; i < texts.size(); ++i) axis.ids.push_back(static_cast<std::int64_t>(1000 + i));
  return axis;
}

using Rule = std::function<double(const std::vector<std::size_t>&)>;
Grid grid(std::vector<Axis> dims, const Rule& rule) {
  Grid out{std::move(dims), {}, {}};
  for (std::size_t cell = 0; cell < out.cells(); ++cell) {
    std::vector<std::size_t> index(out.dims.size());
    for (std::size_t d = out.dims.size(), left = cell; d-- > 0; left /= out.dims[d].size)
      index[d] = left % out.dims[d].size;
    out.values.push_back(rule(index));
  }
  return out;
}

double wave(std::size_t a, std::size_t b) {
  return std::sin(0.7 * static_cast<double>(a) + 0.31 * static_cast<double>(b) * static_cast<double>(b % 5));
}
// Denoising: the second name decides early, the last token late.
double effect(std::size_t layer, std::size_t pos) {
  const double late = 1.0 / (1.0 + std::exp(6.0 - static_cast<double>(layer)));
  if (pos == 10) return 1.0 - late;
  if (pos == 14) return late;
  return pos > 10 ? 0.12 * wave(layer, pos) : pos == 4 ? -0.35 * (1 - late) : 0;
}

Figure figure(const std::string& as, const std::string& name, const std::string& title, Grid drawn) {
  Figure out;
  out.spec.as = as;
  out.spec.of = out.name = name;
  out.spec.title = title;
  out.unit = "logit";
  out.runs = "run 8FKQ2M1P";
  out.panels.push_back({"", std::move(drawn)});
  return out;
}

Figure with(Figure made, const std::function<void(Figure&)>& change) {
  change(made);
  return made;
}

Table lens_table(std::size_t layers, const std::vector<std::string>& words) {
  Table table;
  table.dims = {numbers("layer", layers), tokens("pos", words), numbers("rank", 3)};
  Column token{"token", true, true, {}, {}}, prob{"prob", false, false, {}, {}};
  for (std::size_t l = 0; l < layers; ++l) {
    for (std::size_t p = 0; p < words.size(); ++p) {
      for (std::size_t r = 0; r < 3; ++r) {
        token.texts.push_back(words[(p + 1 + r + (l < 3 ? l * 3 : 0)) % words.size()]);
        prob.numbers.push_back(0.6 / static_cast<double>(1 + r));
      }
    }
  }
  table.columns = {token, prob};
  return table;
}

Page frame(const std::string& title, const std::string& about) {
  Page page;
  page.title = title;
  page.about = about;
  page.tables.push_back({"The run",
                         {"run", "kind", "status", "clean ↑"},
                         {{"8FKQ2M1P", "patching", "succeeded", "4.28"}},
                         {false, false, false, true}});
  page.provenance = {{"runs", "01JDAM7VZS5XQ2K98FKQ2M1PXX"},
                     {"manifest", "experiments/ioi_patching.toml  sha256 3fa2"}};
  page.command = "diopter run experiments/ioi_patching.toml";
  return page;
}

Page every_kind() {
  Page page = frame("ioi-patching", "Which residual-stream site carries the indirect object?");
  const Grid map =
      grid({numbers("layer", 12), tokens("pos", kPrompt)}, [](const auto& i) { return effect(i[0], i[1]); });
  page.figures.push_back(
      with(figure("heatmap", "resid/effect", "Restored logit difference, layer by position", map), [](Figure& f) {
        f.spec.centre = 0;
        f.warnings.push_back("[gap] clean - corrupted is 0.36, spread over prompts 0.9: the normalised map is noise");
      }));
  page.figures.push_back(figure("surface", "resid/effect", "The same as a surface", map));
  page.figures.push_back(with(figure("frames", "resid/effect", "Layer after layer", map),
                              [](Figure& f) { f.spec.over = "layer", f.spec.each = "bar"; }));
  const Grid heads = grid(
      {{"metric", 3, {"logit_diff", "prob", "kl"}, {}, {}}, numbers("layer", 12), numbers("head", 12)},
      [](const auto& i) {
        return i[0] == 2 ? 0.02 * (1 + wave(i[1], i[2])) : (i[0] ? 0.1 : 1.0) * wave(i[1], i[2] + 3) * wave(i[2], i[1]);
      });
  page.figures.push_back(figure("heatmap", "heads/effect", "Heads, one panel per metric", heads));
  page.figures.push_back(with(figure("frames", "heads/maps", "Heat maps in frames", heads),
                              [](Figure& f) { f.spec.over = "metric", f.spec.each = "heatmap"; }));
  page.figures.push_back(figure("bar", "heads/score", "The strongest heads", [] {
    Grid scores = grid({numbers("layer", 12), numbers("head", 12)}, [](const auto& i) { return wave(i[0], i[1]); });
    for (const double score : scores.values) {
      scores.low.push_back(score - 0.25);
      scores.high.push_back(score + 0.125);
    }
    return scores;
  }()));
  page.figures.push_back(
      with(figure("line", "steer/logit_diff", "Dose and response",
                  [] {
                    Axis dose{"coefficient", 9, {}, {}, {-8, -6, -4, -2, 0, 2, 4, 6, 8}};
                    Grid lines = grid({{"vector", 2, {"antonym", "random"}, {}, {}}, dose}, [](const auto& i) {
                      return (i[0] ? 0.15 : 1.0) * std::tanh((static_cast<double>(i[1]) - 4) / 2) * 4;
                    });
                    lines.error.assign(lines.values.size(), 0.4);
                    return lines;
                  }()),
           [](Figure& f) { f.spec.colour = "vector"; }));
  page.figures.push_back(
      figure("histogram", "dla/per_prompt", "Logit difference per prompt",
             grid({numbers("prompt", 300)}, [](const auto& i) { return 3 * wave(i[0], i[0] * 7) + wave(i[0], 3); })));
  Figure scatter;
  scatter.spec.as = "scatter";
  scatter.spec.of = scatter.name = "separability/pca";
  scatter.spec.title = "Two tasks at layer 8";
  scatter.spec.x = "pc1", scatter.spec.y = "pc2", scatter.spec.colour = "group", scatter.spec.text = "word";
  Column one{"pc1", false, false, {}, {}}, two{"pc2", false, false, {}, {}}, group{"group", true, false, {}, {}},
      word{"word", true, true, {}, {}};
  for (std::size_t i = 0; i < 120; ++i) {
    one.numbers.push_back((i % 2 ? 3.0 : -3.0) + wave(i, i + 1));
    two.numbers.push_back(2 * wave(i * 3, i));
    group.texts.push_back(i % 2 ? "antonym" : "german");
    word.texts.push_back(kPrompt[i % kPrompt.size()]);
  }
  scatter.table = {{numbers("row", 120)}, {one, two, group, word}};
  page.figures.push_back(scatter);
  page.figures.push_back(
      with(figure("token_grid", "lens/kl", "What each layer would say",
                  grid({numbers("layer", 12), tokens("pos", kPrompt)},
                       [](const auto& i) {
                         return 8.0 * std::exp(-0.3 * static_cast<double>(i[0])) * (1 + 0.3 * wave(i[0], i[1]));
                       })),
           [](Figure& f) { f.spec.text = "top.token", f.unit = "nat", f.table = lens_table(12, kPrompt); }));
  page.figures.push_back(figure("token_strip", "loss/per_token", "Loss by token",
                                grid({tokens("pos", kPrompt)}, [](const auto& i) { return 2 + 2 * wave(i[0], 1); })));
  page.figures.push_back(
      with(figure("attention", "attention/pattern", "Attention patterns",
                  grid({numbers("layer", 4), numbers("head", 4), tokens("dest", kPrompt), tokens("src", kPrompt)},
                       [](const auto& i) {
                         if (i[3] > i[2]) return 0.0;
                         if (i[1] == 0) return i[3] + 1 == i[2] || (i[2] == 0 && i[3] == 0) ? 0.93 : 0.07 / 14;
                         return 1.0 / static_cast<double>(i[2] + 1);
                       })),
           [](Figure& f) { f.unit = ""; }));
  Figure table;
  table.spec.as = "table";
  table.spec.of = table.name = "test_prompt/top";
  table.spec.title = "Most likely next tokens";
  table.table = {{numbers("row", 3)},
                 {{"token", true, true, {}, {" a", " not", "\n"}},
                  {"logit", false, false, {16.85, 15.35, 15.22}, {}},
                  {"prob", false, false, {0.1907, 0.0425, 0.0373}, {}}}};
  page.figures.push_back(table);
  Figure text;
  text.spec.as = "text";
  text.spec.of = text.name = "resid/notes";
  text.spec.title = "What it says";
  text.text =
      "At **layer 0** the second name decides; from layer 6 on the answer is at the *last* token.\n\n- `resid_pre` "
      "only\n- 12 layers, 15 positions\n";
  page.figures.push_back(text);
  return page;
}

Page hostile() {
  const std::vector<std::string> evil = {"</script><script>window.broken=1</script>",
                                         "<b>bold</b>",
                                         "%{x} %{customdata}",
                                         "<img src=x onerror=window.broken=1>",
                                         "\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D",
                                         "\xE2\x80\xAE"
                                         "evil\xE2\x80\xAC",
                                         "\xE2\x80\x8B",
                                         " ",
                                         "\n",
                                         "\t",
                                         "\xE2\x82",
                                         "\xF0\x9F\x98\x80",
                                         "&lt;i&gt;",
                                         "a\xE2\x80\xA8"
                                         "b",
                                         "__proto__",
                                         "' onmouseover='window.broken=1",
                                         "\"><svg onload=window.broken=1>",
                                         "]]>",
                                         "<!--",
                                         "{{constructor}}"};
  const std::string nasty =
      "</title></style></script><script>window.broken=1</script><img src=https://example.org/x.png>";
  Page page = frame(nasty, nasty);
  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  const Grid map = grid({numbers("layer", 3), tokens("pos", evil)}, [=](const auto& i) {
    return i[1] == 3 ? nan : i[1] == 4 ? inf : i[1] == 5 ? -inf : wave(i[0], i[1]);
  });
  for (const char* as : {"heatmap", "surface", "frames", "bar", "line", "token_strip"}) {
    page.figures.push_back(with(figure(as, "evil/" + evil[1], nasty, map), [&](Figure& f) {
      f.unit = "<u>", f.doc = nasty, f.runs = nasty, f.warnings = {nasty};
      if (f.spec.as == "frames") f.spec.over = "layer", f.spec.each = "bar";
      if (f.spec.as == "bar" || f.spec.as == "line") f.spec.x = "layer";
    }));
  }
  page.figures.push_back(with(figure("token_grid", "evil/grid", nasty, map),
                              [&](Figure& f) { f.spec.text = "top.token", f.table = lens_table(3, evil); }));
  page.figures.push_back(figure("attention", "evil/attention", nasty,
                                grid({numbers("head", 2), tokens("dest", evil), tokens("src", evil)},
                                     [](const auto& i) { return wave(i[1], i[2]); })));
  Figure table;
  table.spec.as = "table";
  table.spec.of = table.name = nasty;
  table.table = {{numbers("row", evil.size())}, {{nasty, true, true, {}, evil}}};
  page.figures.push_back(table);
  Figure scatter;
  scatter.spec.as = "scatter";
  scatter.spec.of = scatter.name = "evil/scatter";
  scatter.spec.colour = scatter.spec.text = "word";
  Column a{"<b>a</b>", false, false, {}, {}}, b{"%{y}", false, false, {}, {}};
  for (std::size_t i = 0; i < evil.size(); ++i) a.numbers.push_back(wave(i, 1)), b.numbers.push_back(wave(i, 2));
  scatter.table = {{numbers("row", evil.size())}, {a, b, {"word", true, true, {}, evil}}};
  page.figures.push_back(scatter);
  Figure text;
  text.spec.as = "text";
  text.spec.of = text.name = nasty;
  text.text = nasty + "\n\n# " + nasty + "\n\n- " + nasty + "\n\n```\n" + nasty + "\n```\n\n| " + nasty + " | `" +
              nasty + "` |\n\n[x](javascript:window.broken=1)";
  page.figures.push_back(text);
  page.tables.push_back({"T", {nasty}, {{nasty}}, {false}});
  page.provenance.emplace_back(nasty, nasty);
  page.command = nasty;
  return page;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: browser_pages OUTDIR PREFIX\n";
    return 2;
  }
  const std::filesystem::path out = argv[1];
  std::filesystem::create_directories(out);
  const PlotlyAsset plotly = load_plotly(argv[2]);
  for (const auto& [name, page] : {std::pair{"every_kind", every_kind()}, {"hostile", hostile()}}) {
    diopter::base::write_file_atomically(out / (std::string(name) + ".html"), render_page(page, plotly).html);
  }
  RenderOptions beside;
  beside.assets = Assets::Beside;
  const Rendered split = render_page(every_kind(), plotly, beside);
  diopter::base::write_file_atomically(out / "beside.html", split.html);
  for (const SideFile& file : split.beside) diopter::base::write_file_atomically(out / file.name, file.bytes);
}
