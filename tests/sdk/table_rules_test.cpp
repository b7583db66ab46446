// A row that breaks a rule does not compile, and the compiler shows the rule's sentence.
#include <gtest/gtest.h>

#include "sdk/compiler.hpp"

namespace diopter::test {
namespace {

struct Rule {
  const char* name;
  std::string row;
  const char* sentence;
};

class RowRule : public ::testing::TestWithParam<Rule> {};

TEST_P(RowRule, IsShownByTheCompiler) {
  const Verdict verdict = compile("#include <diopter/table.hpp>\nusing namespace diopter;\nconstexpr Row kTable[] = {" +
                                  GetParam().row + "};\n");
  EXPECT_FALSE(verdict.compiles);
  EXPECT_NE(verdict.output.find(GetParam().sentence), std::string::npos) << verdict.output;
}

INSTANTIATE_TEST_SUITE_P(
    Rows, RowRule,
    ::testing::Values(
        Rule{"ParamName", R"(param("Top", Int, {.fallback = "1", .doc = "D."}))",
             "the name of a parameter is [a-z][a-z0-9_]*"},
        Rule{"Reserved", R"(param("prompts", Int, {.fallback = "1", .doc = "D."}))",
             "this name is a key of [[run]] that belongs to the host"},
        Rule{"ParamDoc", R"(param("top", Int, {.fallback = "1"}))", "a parameter needs .doc, one sentence"},
        Rule{"Example", R"(param("top", Int, {.doc = "D."}))", "a parameter without .fallback needs an .example"},
        Rule{"Choices", R"(param("top", Choice, {.fallback = "'a'", .doc = "D."}))",
             "a Choice or ChoiceList needs .choices, other types take none"},
        Rule{"NoChoices", R"(param("top", Int, {.fallback = "1", .choices = "a|b", .doc = "D."}))",
             "other types take none"},
        Rule{"MinMax", R"(param("top", Int, {.fallback = "1", .min = 3, .max = 2, .doc = "D."}))",
             "the .min of a parameter is above its .max"},
        Rule{"Limits", R"(param("top", String, {.fallback = "''", .min = 3, .doc = "D."}))",
             ".min and .max are for Int, Float, IntList and FloatList"},
        Rule{"IndexOf", R"(param("top", Float, {.fallback = "1", .index_of = "layer", .doc = "D."}))",
             ".index_of is for Int and IntList"},
        Rule{"OutputName", R"(metric("a b", {.doc = "D."}))", "the name of an output is [a-z][a-z0-9_]*"},
        Rule{"OutputDoc", R"(metric("loss", {}))", "an output needs .doc, one sentence"},
        Rule{"Dims", R"(tensor("kl", "layer layer", {.doc = "D."}))", "dims are distinct names"},
        Rule{"TableDims", R"(table("t", "layer|pos", "a:int", {.doc = "D."}))", "a table has one set of dims"},
        Rule{"Columns", R"(table("t", "layer", "a:number", {.doc = "D."}))",
             "columns are NAME:TYPE with the types int, float, text and token"},
        Rule{"Better", R"(metric("loss", {.better = "smaller", .doc = "D."}))",
             R"(.better is \"higher\" or \"lower\", for metrics)"},
        Rule{"Pattern", R"(observe("", "Why."))", "a hook row needs a pattern"},
        Rule{"Braces", R"(observe("blocks.{layer.hook_z", "Why."))", "the braces of a hook pattern are not balanced"},
        Rule{"Reason", R"(edits("hook_embed", ""))", "a hook row needs a reason, one sentence"},
        Rule{"Needs", "needs()", "needs() names at least one Need"},
        Rule{"Version", "version(0)", "version() counts from 1"}),
    [](const auto& one) { return one.param.name; });

std::string plugin(const std::string& rows, const std::string& line) {
  return "#include <diopter/plugin.hpp>\nnamespace {\nusing namespace diopter;\nconstexpr Row kTable[] = {" + rows +
         "};\nclass A final : public Analysis { void run(Context&) override {} };\nclass B {};\n}\n" + line + "\n";
}
const std::string kRow = R"(param("top", Int, {.fallback = "1", .doc = "D."}))";
const std::string kLine = R"(DIOPTER_PLUGIN("org.example.a", "0.1.0", (A, "a", "Does.", kTable)))";

TEST(PluginLine, CompilesWithSeveralKinds) {
  const Verdict verdict = compile(plugin(
      kRow, R"(DIOPTER_PLUGIN("org.example.a", "0.1.0", (A, "a", "Does.", kTable), (A, "b", "Does.", kTable)))"));
  EXPECT_TRUE(verdict.compiles) << verdict.output;
}

class LineRule : public ::testing::TestWithParam<Rule> {};

// Here `row` is a whole plugin.
TEST_P(LineRule, IsShownByTheCompiler) {
  const Verdict verdict = compile(GetParam().row);
  EXPECT_FALSE(verdict.compiles);
  EXPECT_NE(verdict.output.find(GetParam().sentence), std::string::npos) << verdict.output;
}

INSTANTIATE_TEST_SUITE_P(
    Lines, LineRule,
    ::testing::Values(
        Rule{"TwoParams", plugin(kRow + "," + kRow, kLine), "two parameters of one kind have the same name"},
        Rule{"TwoOutputs", plugin(R"(metric("a", {.doc = "D."}), text("a", {.doc = "D."}))", kLine),
             "two outputs of one kind have the same name"},
        Rule{"Placeholder", plugin(R"(observe("blocks.{lay}.hook_z", "Why."))", kLine),
             "a {name} in a hook pattern is {layer} or a parameter"},
        Rule{
            "MetricKey",
            plugin(
                R"(param("at", Int, {.fallback = "1", .doc = "D."}), param("m", MetricList, {.fallback = "[]", .doc = "D."}))",
                kLine),
            "at, normalise and min_gap come with a MetricList"},
        Rule{"Id", plugin(kRow, R"(DIOPTER_PLUGIN("mylens", "0.1.0", (A, "a", "Does.", kTable)))"),
             "the id of a plugin is [a-z0-9._-]+ with a dot"},
        Rule{"PluginVersion", plugin(kRow, R"(DIOPTER_PLUGIN("org.a", "1", (A, "a", "Does.", kTable)))"),
             "the version of a plugin is three numbers"},
        Rule{"TwoKinds",
             plugin(kRow, R"(DIOPTER_PLUGIN("org.a", "0.1.0", (A, "a", "Does.", kTable), (A, "a", "Does.", kTable)))"),
             "two kinds of one plugin have the same name"},
        Rule{"Class", plugin(kRow, R"(DIOPTER_PLUGIN("org.a", "0.1.0", (B, "a", "Does.", kTable)))"),
             "the class of a kind derives from diopter::Analysis"},
        Rule{"SecondLine", plugin(kRow, kLine + "\n" + kLine), "redefinition"}),
    [](const auto& one) { return one.param.name; });

}  // namespace
}  // namespace diopter::test
