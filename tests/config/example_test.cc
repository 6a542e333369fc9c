// The example files are what a newcomer starts with: they must be right, and complete.
#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <sstream>

#include "config/default_paths.h"
#include "config/file.h"
#include "config/option_table.h"
#include "config/validate.h"
#include "config/yaml_tree.h"

namespace flagstone::config {
namespace {

const std::string kExample = FLAGSTONE_SOURCE_DIR "/config/example.yaml";

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

Options read(const std::string& text) {
  Options options;
  ProblemList problems;
  read_config_text(text, kExample, options, problems);
  for (const Problem& problem : problems) {
    ADD_FAILURE() << to_string(problem);
  }
  return options;
}

TEST(Example, StartsOnTheDefaults) {
  const Options options = read(text_of(kExample));
  EXPECT_TRUE(validate(options).empty());
  EXPECT_EQ(options.admin, kDefaultAdmin);
  const auto addresses = listen_addresses(options, real_surroundings());
  ASSERT_EQ(addresses.size(), 2U);
  EXPECT_TRUE(addresses[0].address.starts_with("unix:"));
  EXPECT_EQ(addresses[1].address, kDefaultTcpListener);
  ASSERT_EQ(options.environments.size(), 1U);
  ASSERT_EQ(options.environments[0].sources.size(), 1U);
  EXPECT_EQ(options.environments[0].sources[0].path,
            FLAGSTONE_SOURCE_DIR "/config/example.flags.json");
  EXPECT_TRUE(std::ifstream(options.environments[0].sources[0].path).good());
}

TEST(Example, NamesEveryKey) {
  const std::string text = text_of(kExample);
  for (const OptionRow& row : option_table()) {
    if (!row.key.empty()) {
      const std::string key(row.key.substr(row.key.find('.') + 1));
      EXPECT_NE(text.find(key + ":"), std::string::npos) << full_key(row);
    }
  }
}

// What is commented out must work when the `#` goes.
TEST(Example, CommentedOptionsAreRight) {
  const std::regex commented("^( *)# ( *(- )?[a-z_]+:( .*)?)$");
  std::istringstream lines(text_of(kExample));
  std::string text;
  int uncommented = 0;
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (std::regex_match(line, match, commented)) {
      line = match.str(1) + match.str(2);
      ++uncommented;
    }
    text += line + "\n";
  }
  EXPECT_GT(uncommented, 20);
  // The two ways to give a credential exclude each other.
  text = std::regex_replace(text, std::regex("credential_env: FLAGS_TOKEN"), "");
  const Options options = read(text);
  for (const Problem& problem : validate(options)) {
    ADD_FAILURE() << to_string(problem);
  }
  ASSERT_EQ(options.environments.size(), 2U);
  EXPECT_EQ(options.environments[0].sources.size(), 3U);
  EXPECT_EQ(options.environments[1].sources.size(), 1U);
}

TEST(Example, FlagsAreOfEveryKind) {
  ProblemList problems;
  const YamlNode root =
      parse_yaml(text_of(FLAGSTONE_SOURCE_DIR "/config/example.flags.json"), "flags", problems);
  ASSERT_TRUE(problems.empty());
  const YamlNode* flags = root.find("flags");
  ASSERT_NE(flags, nullptr);
  EXPECT_GE(flags->entries.size(), 5U);
  int targeted = 0;
  for (const YamlEntry& flag : flags->entries) {
    const YamlNode* chosen = flag.value.find("defaultVariant");
    ASSERT_NE(chosen, nullptr) << flag.key;
    EXPECT_NE(flag.value.find("variants")->find(chosen->text), nullptr) << flag.key;
    targeted += flag.value.find("targeting") == nullptr ? 0 : 1;
  }
  EXPECT_GE(targeted, 2);
}

}  // namespace
}  // namespace flagstone::config
