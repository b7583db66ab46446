// Which tokens end a text: generation_config.json before config.json.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/error.hpp"
#include "model/end_tokens.hpp"

namespace diopter::model {
namespace {

class EndTokenIds : public ::testing::Test {
 protected:
  EndTokenIds() { std::filesystem::create_directories(folder_); }
  ~EndTokenIds() override { std::filesystem::remove_all(folder_); }
  void write(const char* name, const std::string& text) { std::ofstream(folder_ / name) << text; }

  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("diopter_end_tokens_" + std::to_string(::getpid()));
};

TEST_F(EndTokenIds, TheGenerationConfigComesFirst) {
  EXPECT_EQ(end_token_ids(folder_), std::nullopt);
  write("config.json", R"({"eos_token_id": 7})");
  EXPECT_EQ(end_token_ids(folder_), std::vector<Index>{7});
  write("generation_config.json", R"({"eos_token_id": null, "do_sample": true})");
  EXPECT_EQ(end_token_ids(folder_), std::vector<Index>{7});
  write("generation_config.json", R"({"eos_token_id": [3, 12]})");
  EXPECT_EQ(end_token_ids(folder_), (std::vector<Index>{3, 12}));
  write("generation_config.json", R"({"eos_token_id": []})");
  EXPECT_EQ(end_token_ids(folder_), std::vector<Index>{});
}

TEST_F(EndTokenIds, WhatIsNoIdIsRefused) {
  for (const char* value : {"-1", "2.5", "\"</s>\"", "[3, null]", "{}"}) {
    write("config.json", std::string("{\"eos_token_id\": ") + value + "}");
    try {
      end_token_ids(folder_);
      FAIL() << value;
    } catch (const base::UserError& error) {
      EXPECT_EQ(error.exit(), base::Exit::Refused);
      EXPECT_NE(std::string(error.what()).find("expected eos_token_id to be a token id or a list of them"),
                std::string::npos)
          << error.what();
    }
  }
  write("config.json", "[1");
  EXPECT_THROW(end_token_ids(folder_), base::UserError);
}

}  // namespace
}  // namespace diopter::model
