// One manifest, all its mistakes at once, word for word.
#include <gtest/gtest.h>

#include "core/study/toy_kinds.hpp"

namespace diopter::study {
namespace {

TEST(Mistakes, ManyInOneFileAreToldAtOnceInTheOrderOfTheFile) {
  const std::string manifest = R"(schema = 2
retires = 3

[experiment]
name = "IOI Patching"
tags = ["ioi", 7]

[model]
source = ""
dtype = "float16"
jobs = 4

[[prompts.ioi.rows]]
clean = "When Mary and John went, John gave it to"
corupted = "When Mary and John went, Mary gave it to"
answer = []

[prompts.words]
path = "words.txt"
slots = { a = ["x"] }

[[run]]
id = "resid pre"
kind = "patching"
prompts = "io"
site = "resid_pr"
postions = [1]
chunk = -1
metrics = ["logit_dif", "prob"]
timeout = "2h"
  [[run.axis]]
  key = "seed"

[[run]]
id = "a"
kind = "pathcing"
needs = ["b"]

[[run]]
id = "b"
kind = "everything"
needs = ["a"]
top_k = "ten"
rate = nan
layer = 12
model = { source = "gpt2" }

[[expect]]
of = "b/los"
is = 1.0

[[report]]
file = "../x.html"

[execution]
memory_budget = "8"
strict = "yes"
)";
  EXPECT_EQ(toys::problems_of(manifest), "");
}

}  // namespace
}  // namespace diopter::study
