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
dtype = "float64"
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
  EXPECT_EQ(toys::problems_of(manifest), R"(m.toml:1:10: error: schema is 2, but this version reads schema 1
    1 | schema = 2
      |          ^
m.toml:2:1: error: unknown key 'retires' in the manifest (did you mean 'retries' of [execution]?)
    2 | retires = 3
      | ^~~~~~~
m.toml:5:8: error: 'IOI Patching' cannot name an experiment; use a-z, 0-9, '.', '_' and '-'
    5 | name = "IOI Patching"
      |        ^~~~~~~~~~~~~~
m.toml:6:16: error: item 2 of 'tags' of [experiment] is 7, which is a whole number, not a string
    6 | tags = ["ioi", 7]
      |                ^
m.toml:9:10: error: 'source' is empty; name a model, for example "organism" or "gpt2"
    9 | source = ""
      |          ^~
m.toml:10:9: error: 'dtype' of [model] is 'float64', which is not one of its choices (did you mean 'float16' or 'float32'?)
   10 | dtype = "float64"
      |         ^~~~~~~~~
m.toml:11:1: error: 'jobs' belongs in [execution]
   11 | jobs = 4
      | ^~~~
m.toml:15:12: warning: the column 'corupted' means nothing to diopter; is it meant to be 'corrupted'?   [column]
   15 | corupted = "When Mary and John went, Mary gave it to"
      |            ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~
m.toml:16:10: error: 'answer' is [], which is neither a string nor a list of strings
   16 | answer = []
      |          ^~
m.toml:19:8: error: 'words.txt' is neither .jsonl nor .csv
   19 | path = "words.txt"
      |        ^~~~~~~~~~~
m.toml:20:1: error: 'slots' of [prompts.words] is not yet in this version
   20 | slots = { a = ["x"] }
      | ^~~~~
m.toml:23:6: error: 'resid pre' cannot be an id; use letters, digits, _ and -
   23 | id = "resid pre"
      |      ^~~~~~~~~~~
m.toml:25:11: error: there is no prompt set 'io' (did you mean 'ioi'?)
   25 | prompts = "io"
      |           ^~~~
m.toml:26:8: error: 'site' is "resid_pr", which is not one of its choices (did you mean 'resid_pre'?)
   26 | site = "resid_pr"
      |        ^~~~~~~~~~
m.toml:27:1: error: unknown parameter 'postions' for kind 'patching' (did you mean 'positions'?)
   27 | postions = [1]
      | ^~~~~~~~
m.toml:28:9: error: 'chunk' is -1, which is outside [0, 100000]
   28 | chunk = -1
      |         ^~
m.toml:29:12: error: item 1 of 'metrics' is "logit_dif", which is not a metric (did you mean 'logit_diff'?)
   29 | metrics = ["logit_dif", "prob"]
      |            ^~~~~~~~~~~
m.toml:30:1: error: 'timeout' belongs in [execution]
   30 | timeout = "2h"
      | ^~~~~~~
m.toml:31:9: error: 'axis' of [[run]] is not yet in this version
   31 |   [[run.axis]]
      |         ^~~~
m.toml:36:8: error: no plugin offers kind 'pathcing' (did you mean 'patching'?)
   36 | kind = "pathcing"
      |        ^~~~~~~~~~
m.toml:42:10: error: runs need each other: a -> b -> a
   42 | needs = ["a"]
      |          ^~~
m.toml:43:9: error: 'top_k' is "ten", which is a string, not a whole number
   43 | top_k = "ten"
      |         ^~~~~
m.toml:44:8: error: 'rate' is nan, which is not a finite number
   44 | rate = nan
      |        ^~~
m.toml:45:9: error: layer 12 is out of range: gpt2 has layers 0..11
   45 | layer = 12
      |         ^~
m.toml:48:1: error: [[expect]] needs the key 'within'; for example within = 1e-3
   48 | [[expect]]
      | ^~~~~~~~~~
m.toml:49:6: error: run 'b' (kind 'everything') has no output 'los' (did you mean 'loss'?)
   49 | of = "b/los"
      |      ^~~~~~~
m.toml:53:8: error: 'file' of [[report]] is "../x.html", but must be a bare name that ends in .html; it goes to <store>/reports
   53 | file = "../x.html"
      |        ^~~~~~~~~~~
m.toml:56:17: error: 'memory_budget' is '8', which is not a size; for example "8GB" or "512MiB"
   56 | memory_budget = "8"
      |                 ^~~
m.toml:57:10: error: 'strict' of [execution] is "yes", which is a string, not true or false
   57 | strict = "yes"
      |          ^~~~~
28 errors; nothing was run.
)");
}

}  // namespace
}  // namespace diopter::study
