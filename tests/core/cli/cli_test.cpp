// bin/diopter on a small store: exact outputs, exit codes, errors.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "base/canonical_json.hpp"
#include "core/cli/command.hpp"
#include "core/cli/sample_store.hpp"
#include "environment.hpp"
#include "peers/python_peer.hpp"

namespace {

using diopter::base::Json;
using diopter::test::kFailed;
using diopter::test::kFirst;
using diopter::test::kLens;
using diopter::test::Outcome;
using diopter::test::sample_store;
using diopter::test::shell;
using testing::HasSubstr;

Outcome diopter_on_sample(const std::string& arguments) {
  return shell("export DIOPTER_STORE='" + sample_store().string() + "'; $DIOPTER " + arguments);
}

TEST(Runs, ListsNewestFirstAsTabSeparatedText) {
  const Outcome result = diopter_on_sample("runs --columns id,kind,model,status,metric.logit_diff,error");
  EXPECT_EQ(result.exit, 0) << result.err;
  EXPECT_EQ(result.out,
            "id\tkind\tmodel\tstatus\tmetric.logit_diff\terror\n"
            "01JDAM7VZS00000000ZZZZ0000\tpatching\tgpt2\tfailed\t\tout of memory budget (8GB)\n"
            "01JDAM7VZS00000000Q9T4RRV2\tlogit_lens\torganism\tsucceeded\t\t\n"
            "01JDAM7VZS000000001C0Z77AA\tpatching\tgpt2\tsucceeded\t4.1\t\n"
            "01JDAM7VZS000000008FKQ2M1P\tpatching\torganism\tsucceeded\t-7.27\t\n");
}

TEST(Runs, FormsLimitAndSort) {
  EXPECT_EQ(diopter_on_sample("runs --columns short_id --no-header --limit 1 2>&1").out,
            "ZZZZ0000\n1 of 4 shown; --limit 0 for all\n");
  EXPECT_EQ(diopter_on_sample("runs --columns short_id --no-header --sort -metric.logit_diff --limit 2 -q").out,
            "1C0Z77AA\n8FKQ2M1P\n");
  EXPECT_EQ(diopter_on_sample("runs --kind logit_lens --columns short_id,batch --csv").out,
            "short_id,batch\nQ9T4RRV2,ioi-patching\n");
  EXPECT_EQ(diopter_on_sample("runs --kind logit_lens --columns short_id,batch --md").out,
            "| short_id | batch |\n| --- | --- |\n| Q9T4RRV2 | ioi-patching |\n");
  EXPECT_EQ(diopter_on_sample("runs --status failed --columns short_id,seconds --jsonl").out,
            "{\"seconds\":0.03,\"short_id\":\"ZZZZ0000\"}\n");
  const Json document = Json::parse(diopter_on_sample("runs --json --limit 2").out);
  EXPECT_EQ(document["schema"], "diopter.runs/1");
  EXPECT_EQ(document["total"], 4);
  EXPECT_EQ(document["rows"].size(), 2u);
  EXPECT_EQ(document["rows"][0]["id"], kFailed);
}

TEST(Runs, NothingMatchesIsFourAndAnUnknownColumnTwo) {
  const Outcome none = diopter_on_sample("runs --kind steering");
  EXPECT_EQ(none.exit, 4);
  EXPECT_EQ(none.err, "error: no run matches\n");
  const Outcome column = diopter_on_sample("runs --columns modle");
  EXPECT_EQ(column.exit, 2);
  EXPECT_THAT(column.err, HasSubstr("no column 'modle' (did you mean 'model'?)"));
}

TEST(Show, TellsWhatIsKnown) {
  const Outcome result = diopter_on_sample("show 8FKQ --utc");
  EXPECT_EQ(result.exit, 0) << result.err;
  EXPECT_EQ(result.out,
            "run 8FKQ2M1P  patching  succeeded in 0.03 s\n"
            "  id       01JDAM7VZS000000008FKQ2M1P\n"
            "  started  2025-11-24T16:00:00.000000Z\n"
            "  batch    ioi-patching/resid\n"
            "  model    organism  float32 on cpu\n"
            "\nparameters\n"
            "  model.source  organism\n"
            "  site          resid_pre\n"
            "\nmetrics\n"
            "  logit_diff  -7.27  +- 0.25\n"
            "\ntensors\n"
            "  effect  [layer=3, pos=4]  f32  -1 to 1\n"
            "\nother outputs\n"
            "  map  figure\n"
            "\nevents\n"
            "  warning  [gap] clean - corrupted is 0.36\n");
}

TEST(Show, PartsOfARun) {
  EXPECT_EQ(diopter_on_sample("show ZZZZ0000 --error").out, "out of memory budget (8GB)\n");
  EXPECT_EQ(diopter_on_sample("show Q9T4 --text notes").out, "The *last* layer knows.\n");
  EXPECT_EQ(
      diopter_on_sample("show Q9T4 --table top").out,
      "layer\tpos\ttoken\tprob\n0\tWhen\t a\t0.25\n0\t Mary\t b\t0.5\n1\tWhen\t\\n\t0.75\n1\t Mary\t</script>\t1.0\n");
  EXPECT_EQ(diopter_on_sample("show 8FKQ --config").out,
            "# The manifest of run 01JDAM7VZS000000008FKQ2M1P, experiments/ioi.toml.\n"
            "# Its entry: 'resid'. Relative paths count from the folder of that file.\n"
            "# It was run with overrides: model.source=gpt2\n"
            "schema = 1\n[experiment]\nname = \"ioi-patching\"\n");
  const Json run = Json::parse(diopter_on_sample("show 8FKQ --json").out);
  EXPECT_EQ(run["schema"], "diopter.run/1");
  EXPECT_EQ(run["metrics"][0]["stderr"], 0.25);
  EXPECT_EQ(run["tensors"][0]["shape"], Json({3, 4}));
  EXPECT_THAT(diopter_on_sample("show 8FKQ --provenance").out,
              HasSubstr("commit\t0123456789ab with uncommitted changes\n"));
}

TEST(Tensor, DrawsTheMapAsText) {
  const Outcome result = diopter_on_sample("tensor 8FKQ effect");
  EXPECT_EQ(result.exit, 0) << result.err;
  EXPECT_EQ(result.out,
            "  effect\n"
            "           0     1    2    3\n"
            "     <|end..  When Mary   to\n"
            "  L2       .     .    . 1.00\n"
            "  L1       . -0.35 0.50 0.50\n"
            "  L0       .     . 1.00    .\n"
            "  scale -1 to 1 logit; . = less than 0.005\n");
}

TEST(Tensor, TopStatsSlices) {
  EXPECT_EQ(diopter_on_sample("tensor 8FKQ effect --top 2").out,
            "layer\tpos\tpos_label\tvalue\n0\t2\t Mary\t1.0\n2\t3\t to\t1.0\n");
  EXPECT_EQ(diopter_on_sample("tensor Q9T4 kl --stats").out,
            "name\tdtype\tcells\tnonfinite\tmin\tmax\tmean\tstd\nkl\tf32\t4\t0\t0.0\t2.0\t0.875\t0.739509972887452\n");
  EXPECT_EQ(diopter_on_sample("tensor 8FKQ effect --slice layer=-1 --top 1 --no-header").out, "3\t to\t1.0\n");
  EXPECT_EQ(diopter_on_sample("tensor 8FKQ effect --slice 'pos= Mary' --top 1 --no-header").out, "0\t1.0\n");
  const Outcome wrong = diopter_on_sample("tensor 8FKQ effect --slice layr=1");
  EXPECT_EQ(wrong.exit, 2);
  EXPECT_EQ(wrong.err, "error: --slice 'layr=1': no dimension 'layr' (did you mean 'layer'?)\n");
  const Outcome far = diopter_on_sample("tensor 8FKQ effect --slice layer=3");
  EXPECT_EQ(far.err, "error: --slice 'layer=3': 'layer' has 3 places, 0 to 2\n");
  const Json document = Json::parse(diopter_on_sample("tensor Q9T4 kl --json").out);
  EXPECT_EQ(document["values"], Json({2.0, 1.0, 0.5, 0.0}));
}

TEST(Sql, ReadsAndRefusesToWrite) {
  EXPECT_EQ(diopter_on_sample("sql \"SELECT short_id, seconds FROM v_run WHERE kind = :k\" --params k=logit_lens").out,
            "short_id\tseconds\nQ9T4RRV2\t0.03\n");
  EXPECT_EQ(diopter_on_sample("sql 'SELECT 1 AS a, NULL AS b' --json").out,
            "{\"rows\":[{\"a\":1,\"b\":null}],\"schema\":\"diopter.sql/1\",\"total\":1}\n");
  EXPECT_EQ(diopter_on_sample("sql 'DELETE FROM run'").exit, 2);
  EXPECT_EQ(
      diopter_on_sample(
          "sql 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n' --timeout 1s")
          .exit,
      2);
}

TEST(Diff, ShowsOnlyWhatDiffers) {
  const Outcome result = diopter_on_sample("diff 8FKQ 1C0Z --exit-code -q");
  EXPECT_EQ(result.exit, 1);
  EXPECT_EQ(result.out,
            "what\tname\ta\tb\n"
            "run\tmodel\torganism\tgpt2\n"
            "parameter\tmodel.source\torganism\tgpt2\n"
            "metric\tlogit_diff\t-7.27\t4.1\n"
            "tensor\teffect\tlargest difference 0.5 at layer 0, pos 0 (<|endoftext|>)\t\n");
  EXPECT_EQ(diopter_on_sample("diff 8FKQ 8FKQ --exit-code").exit, 0);
}

TEST(Status, CountsItems) {
  EXPECT_EQ(diopter_on_sample("status ioi-patching 2>&1").out,
            "state\titems\nfailed\t1\nsucceeded\t3\n1 of 4 items are not done; --missing lists them\n");
  EXPECT_EQ(diopter_on_sample("status ioi-patching --missing --no-header").out,
            "3\tresid\tresid\tpatching\tfailed\t1\t\n");
}

TEST(Errors, HaveOneFormAndTheRightCode) {
  const Outcome verb = shell("$DIOPTER rnus");
  EXPECT_EQ(verb.exit, 2);
  EXPECT_EQ(verb.err, "error: unknown verb 'rnus' (did you mean 'runs'?)\nhelp: diopter --help lists the verbs\n");
  const Outcome flag = diopter_on_sample("runs --colums id");
  EXPECT_EQ(flag.exit, 2);
  EXPECT_THAT(flag.err, HasSubstr("(did you mean '--columns'?)"));
  EXPECT_EQ(shell("$DIOPTER runs --store /nonexistent/store").exit, 3);
  EXPECT_EQ(diopter_on_sample("show AAAA").exit, 4);
  const Outcome json = diopter_on_sample("show AAAA --json");
  const Json line = Json::parse(json.err.substr(json.err.find('{')));
  EXPECT_EQ(line["schema"], "diopter.error/1");
  EXPECT_EQ(line["exit"], 4);
  EXPECT_EQ(json.out, "");
  EXPECT_EQ(diopter_on_sample("tensor 8FKQ effect --out x.txt").exit, 2);
}

TEST(Program, SaysWhatItIs) {
  EXPECT_THAT(shell("$DIOPTER --version").out, testing::StartsWith("diopter 0."));
  EXPECT_EQ(shell("$DIOPTER --prefix").out, diopter::tests::environment("DIOPTER_BUILD_DIR") + "\n");
  const Outcome help = shell("$DIOPTER --help");
  EXPECT_EQ(help.exit, 0);
  for (const char* name : {"runs", "show", "tensor", "sql", "report", "run", "check", "peek"})
    EXPECT_THAT(help.out, HasSubstr(name));
}

TEST(Program, AClosedPipeEndsItSilently) {
  const Outcome result = diopter_on_sample(
      "sql 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000) SELECT i FROM n' | head "
      "-n 1; echo ${PIPESTATUS[0]}");
  EXPECT_EQ(result.out, "i\n141\n");
  EXPECT_EQ(result.err, "");
}

TEST(Report, IsTheSameTwiceAndNamesItsRuns) {
  const bool plotly = std::filesystem::exists(diopter::tests::build_folder() / "share/diopter/plotly.min.js");
  ASSERT_TRUE(plotly || !diopter::peers::required()) << "CI=true, but Plotly.js is not set up";
  if (!plotly) GTEST_SKIP() << "Plotly.js is not set up (./dev setup)";
  const Outcome first = diopter_on_sample("report batch:ioi-patching -o - -q"),
                second = diopter_on_sample("report batch:ioi-patching -o - -q");
  EXPECT_EQ(first.exit, 0) << first.err;
  EXPECT_TRUE(first.out == second.out);
  for (const char* part :
       {"<h1>ioi-patching</h1>", "Which site carries the indirect object?", "[gap] clean - corrupted is 0.36", kFirst,
        kLens, "diopter run experiments/ioi.toml model.source=gpt2"}) {
    EXPECT_THAT(first.out, HasSubstr(part));
  }
  EXPECT_EQ(first.out.find("</script>\"]"), std::string::npos);
  EXPECT_EQ(diopter_on_sample("report batch:ioi-patching -o - --max-bytes 1000").exit, 2);
  EXPECT_EQ(diopter_on_sample("report batch:nothing").exit, 4);
}

}  // namespace
