// Prompt sets: inline, JSON lines, CSV; every mistake at its own line of its own file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/hash.hpp"
#include "core/study/toy_kinds.hpp"
#include "study/csv_reader.hpp"
#include "study/jsonl_reader.hpp"

namespace diopter::study {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Told {
  std::string text;
  std::optional<Study> study;
};

// A manifest in a folder of its own, so that its prompt files are found beside it.
Told told(const toys::Folder& folder, const std::string& prompts, std::vector<std::string> overrides = {}) {
  const auto file = folder.write("m.toml", toys::manifest_with("prompts = \"p\"", prompts));
  Problems problems;
  Told out;
  out.study = read_study(file, toys::options(std::move(overrides)), problems);
  out.text = problems.text();
  for (std::size_t at; (at = out.text.find(folder.path().string() + "/")) != std::string::npos;) {
    out.text.erase(at, folder.path().string().size() + 1);
  }
  return out;
}

TEST(Jsonl, RowsWithPlaces) {
  Problems problems;
  const auto rows = read_jsonl(
      "\xEF\xBB\xBF{\"clean\": \"é😀\", \"answer\": [\" a\", \" b\"], \"n\": 3}\r\n\n{\"text\":\"x\",\"foil\":null}\n",
      "f.jsonl", 99, problems);
  ASSERT_TRUE(rows) << problems.text();
  ASSERT_EQ(rows->size(), 2u);
  EXPECT_EQ((*rows)[0].find("answer")->span, (SourceSpan{"f.jsonl", 1, 27, 12, 0}));
  EXPECT_THAT((*rows)[0].choices("answer"), ElementsAre(" a", " b"));
  EXPECT_EQ((*rows)[0].find("n")->value, 3);
  EXPECT_EQ((*rows)[1].span.line, 3);
  EXPECT_EQ((*rows)[1].find("foil"), nullptr) << "null is as good as absent";
}

TEST(Jsonl, MistakesHaveTheirOwnLine) {
  toys::Folder folder;
  folder.write("p.jsonl",
               "{\"clean\": \"a\"}\n{\"clean\": \"b\" \"x\": 1}\n[1]\n{\"clean\": \"c\", \"clean\": "
               "\"d\"}\n{\"clean\": \"\xff\"}\n");
  EXPECT_EQ(
      told(folder, "[prompts.p]\npath = \"p.jsonl\"\n").text,
      R"(p.jsonl:2:17: error: not valid JSON: syntax error while parsing object - unexpected string literal; expected '}'
    2 | {"clean": "b" "x": 1}
      |                 ^
p.jsonl:3:1: error: is not an object; a line is {"clean": "...", "answer": " ..."}
    3 | [1]
      | ^~~
p.jsonl:4:16: error: the key 'clean' is there twice
    4 | {"clean": "c", "clean": "d"}
      |                ^~~~~~~
p.jsonl:5:12: error: is not UTF-8 here; save the file as UTF-8
    5 | {"clean": "�"}
      |            ^
4 errors; nothing was run.
)");
}

TEST(Csv, QuotesNewlinesAndEmptyFields) {
  Problems problems;
  const auto rows = read_csv("clean,answer,note\r\n\"a, \"\"b\"\"\nc\",\" x\",\r\n\nd,\"\",é\n", "f.csv", 99, problems);
  ASSERT_TRUE(rows) << problems.text();
  ASSERT_EQ(rows->size(), 2u);
  EXPECT_EQ(*(*rows)[0].text("clean"), "a, \"b\"\nc");
  EXPECT_EQ((*rows)[0].find("note"), nullptr) << "an empty field is no value";
  EXPECT_EQ(*(*rows)[1].text("answer"), "") << "an empty quoted field is one";
  EXPECT_EQ((*rows)[1].find("note")->span, (SourceSpan{"f.csv", 5, 6, 1, 0}));
}

TEST(Csv, MistakesHaveTheirOwnPlace) {
  toys::Folder folder;
  folder.write("p.csv", "clean,answer\na,b,c\nd\ne\"e,f\n\"g\"h,i\nj,\"k\n");
  EXPECT_EQ(told(folder, "[prompts.p]\npath = \"p.csv\"\n").text,
            R"(p.csv:2:1: error: has 3 fields, but the header names 2 columns
    2 | a,b,c
      | ^~~~~
p.csv:3:1: error: has 1 field, but the header names 2 columns
    3 | d
      | ^
p.csv:4:2: error: a quote inside a field; quote the whole field and double the quotes in it
    4 | e"e,f
      |  ^
p.csv:5:4: error: text after a closing quote; a comma or the end of the line must follow
    5 | "g"h,i
      |    ^
p.csv:6:3: error: the quote that opens here is never closed
    6 | j,"k
      |   ^
5 errors; nothing was run.
)");
  folder.write("p.csv", "clean,,clean\n");
  EXPECT_THAT(told(folder, "[prompts.p]\npath = \"p.csv\"\n").text,
              ::testing::AllOf(HasSubstr("p.csv:1:7: error: column 2 has no name"),
                               HasSubstr("p.csv:1:8: error: the column 'clean' is there twice")));
  folder.write("p.csv", "");
  EXPECT_THAT(told(folder, "[prompts.p]\npath = \"p.csv\"\n").text,
              HasSubstr("p.csv: error: is empty; the first line must name the columns"));
}

TEST(Prompts, RolesAreChecked) {
  const auto said = [](const std::string& rows) {
    return toys::messages_of(toys::manifest_with("prompts = \"p\"", rows));
  };
  EXPECT_THAT(said("[[prompts.p.rows]]\nclen = \"a\""),
              ElementsAre("row 1 has no 'clean' (or 'text')",
                          "the column 'clen' means nothing to diopter; is it meant to be 'clean'?"));
  EXPECT_THAT(said("[[prompts.p.rows]]\nclean = \"a\"\ntext = \"b\""),
              ElementsAre("a row has 'clean' and 'text', which mean the same; remove one"));
  EXPECT_THAT(
      said("[[prompts.p.rows]]\nclean = 3\ncorrupted = \"\"\nanswer = [1]\nfoil = \"\"\nmap = [[1]]\nx = { y = 1 }"),
      ElementsAre("'clean' is 3, which is not a string", "'corrupted' is empty",
                  "'answer' is [1], which is neither a string nor a list of strings",
                  "'foil' is \"\", which is neither a string nor a list of strings",
                  "'map' is not a list of pairs of positions, as in [[0, 0], [1, 2]]",
                  "'x' is { y = 1 }, but a column holds a string, a number, true, false or a list of these"));
  EXPECT_THAT(said("[[prompts.p.rows]]\nclean = \"a\"\nanswer = \"b\"\n[[prompts.p.rows]]\nclean = \"c\""),
              ElementsAre("row 2 has no 'answer', but other rows do"));
  EXPECT_THAT(said("[[prompts.p.rows]]\nclean = \"a\"\nmap = [[0, 0], [1, -2]]\nscore = 0.5\nwords = [\"x\", \"y\"]"),
              IsEmpty());
}

TEST(Prompts, TheSetItselfIsChecked) {
  const auto said = [](const std::string& set) {
    return toys::messages_of(toys::manifest_with("prompts = \"p\"", set));
  };
  EXPECT_THAT(said("[prompts.p]\nlimit = 0\nalign = \"end\""),
              ElementsAre("'limit' of [prompts.p] is 0, which is below 1"));
  EXPECT_THAT(said("[prompts.p]\n"), ElementsAre("[prompts.p] needs a 'path' or [[rows]]"));
  EXPECT_THAT(
      said("[prompts.p]\npath = \"a.txt\"\nlimt = 3"),
      ElementsAre("'a.txt' is neither .jsonl nor .csv", "unknown key 'limt' in [prompts.p] (did you mean 'limit'?)"));
  EXPECT_THAT(said("[prompts.p]\npath = \"none.csv\""), ElementsAre("'none.csv' does not exist"));
  EXPECT_THAT(said("[prompts.q]\n[[prompts.q.rows]]\nclean = \"a\""),
              ElementsAre("there is no prompt set 'p' (did you mean 'q'?)", "no run uses the prompt set 'q'"));
  EXPECT_THAT(said("[prompts]\np = 3"),
              ElementsAre("'prompts.p' is a whole number, not a table; write [prompts.p] or [[prompts.p.rows]]"));
}

TEST(Prompts, LimitAndAlign) {
  toys::Folder folder;
  folder.write("p.jsonl", "{\"clean\": \"a\"}\n{\"clean\": \"b\"}\nnot read\n");
  const Told t = told(folder, "[prompts.p]\npath = \"p.jsonl\"\nlimit = 2\nalign = \"end\"\n");
  EXPECT_EQ(t.text, "");
  EXPECT_EQ(t.study->runs[0].prompts->set->rows.size(), 2u);
  EXPECT_EQ(t.study->runs[0].prompts->set->align, Align::End);
}

TEST(Prompts, ASetMayDifferByModel) {
  toys::Folder folder;
  folder.write("gpt2.jsonl", "{\"clean\": \"for gpt2\"}\n");
  folder.write("llama.jsonl", "{\"clean\": \"for llamas\"}\n");
  const std::string set =
      "[[prompts.p.rows]]\nclean = \"for the rest\"\n[prompts.p.for.gpt2]\npath = "
      "\"gpt2.jsonl\"\n[prompts.p.for.\"family:llama\"]\npath = \"llama.jsonl\"\n";
  const auto first = [&](std::vector<std::string> overrides) {
    const Told t = told(folder, set, std::move(overrides));
    EXPECT_EQ(t.text, "");
    return *t.study->runs[0].prompts->set->rows[0].text("clean");
  };
  EXPECT_EQ(first({}), "for gpt2");
  EXPECT_EQ(first({"model.source=llama-1b"}), "for llamas");
  EXPECT_EQ(first({"model.source=organism"}), "for the rest");
  const std::string file = (folder.path() / "llama.jsonl").string();
  EXPECT_EQ(first({"prompts.p.path=" + file}), "for llamas") << "the command line wins over [prompts.p.for.gpt2]";
}

TEST(Prompts, HashIsOfTheRowsAlone) {
  toys::Folder folder;
  folder.write("p.jsonl", "{\"answer\": \" x\", \"clean\": \"a\"}\n");
  const Told inline_set = told(folder, "[[prompts.p.rows]]\nclean = \"a\"\nanswer = \" x\"\n");
  const Told file_set = told(folder, "[prompts.p]\npath = \"p.jsonl\"\n");
  const auto& set = *inline_set.study->runs[0].prompts->set;
  EXPECT_EQ(set.sha256, file_set.study->runs[0].prompts->set->sha256);
  EXPECT_EQ(set.sha256, base::sha256(R"({"align":"none","rows":[{"answer":" x","clean":"a"}]})"));
}

}  // namespace
}  // namespace diopter::study
