// What the tests of the store share: a directory that goes away, a plan, a batch with a store.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "base/hash.hpp"
#include "base/ulid.hpp"
#include "store/ingest.hpp"
#include "store/plan_file.hpp"
#include "store/reader.hpp"
#include "store/write_session.hpp"

namespace diopter::testing {
namespace fs = std::filesystem;

class Scratch {
 public:
  Scratch() {
    // In memory where there is such a place: no test looks at what a disk does with fsync, and some call it thousands
    // of times.
    const fs::path memory = "/dev/shm";
    const fs::path parent = ::access(memory.c_str(), W_OK) == 0 ? memory : fs::temp_directory_path();
    std::string pattern = (parent / "diopter-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no scratch directory");
    path_ = pattern;
  }
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  const fs::path& path() const { return path_; }
  fs::path store() const { return path_ / "runs"; }
  fs::path spool() const { return path_ / "runs" / "spool"; }

 private:
  fs::path path_;
};

inline std::string fingerprint_of(int item) { return base::sha256("item " + std::to_string(item)); }

inline store::Plan sample_plan(int items = 3, const std::string& name = "sample") {
  store::Plan plan;
  plan.header = {.batch_id = base::new_ulid(),
                 .name = name,
                 .manifest = {.path = "m.toml", .source = "[[run]]\n", .resolved = {{"run", store::Json::array()}}},
                 .argv = {"diopter", "run", "m.toml"},
                 .spool_dir = "/spool",
                 .created_at_us = base::now_us()};
  plan.header.inputs.push_back({base::sha256("model"), "model", 1234, "/models/m", {{"family", "gpt2"}}});
  for (int i = 0; i < items; ++i) {
    store::PlanItem item{
        .item = i, .entry = "main", .name = "main " + std::to_string(i), .kind = "steering", .kind_version = 3};
    item.fingerprint = fingerprint_of(i);
    item.config = {{"coefficient", i * 0.5}};
    item.swept = {"coefficient"};
    plan.items.push_back(item);
  }
  return plan;
}

// Writes the plan and returns the batch's spool directory.
inline fs::path make_batch(const fs::path& spool, const store::Plan& plan) {
  const fs::path batch = spool / plan.header.batch_id;
  store::write_plan(batch, plan);
  return batch;
}

inline void expect_user_error(const std::function<void()>& work, base::Exit exit, const std::string& sentence) {
  try {
    work();
    ADD_FAILURE() << "expected: " << sentence;
  } catch (const base::UserError& error) {
    EXPECT_EQ(error.exit(), exit) << error.what();
    EXPECT_NE(std::string(error.what()).find(sentence), std::string::npos)
        << "got:      " << error.what() << "\nexpected: " << sentence;
  }
}

inline std::int64_t count(store::Store& store, const std::string& query) { return store.connection().integer(query); }

// Nothing in the database contradicts itself.
inline void expect_sound(store::Store& store) {
  auto check = store.connection().prepare("PRAGMA integrity_check");
  ASSERT_TRUE(check.step());
  EXPECT_EQ(check.text(0), "ok");
  auto keys = store.connection().prepare("PRAGMA foreign_key_check");
  EXPECT_FALSE(keys.step()) << keys.text(0);
}

}  // namespace diopter::testing
