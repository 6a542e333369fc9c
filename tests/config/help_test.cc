#include "config/help.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

namespace flagstone::config {
namespace {

std::string text_of(std::string_view word) { return command_text(*find_command(word)); }

// The help without its line breaks, so that wrapped sentences are found.
std::string on_one_line(const std::string& text) {
  std::istringstream words(text);
  std::string line;
  for (std::string word; words >> word;) {
    line += (line.empty() ? "" : " ") + word;
  }
  return line;
}

TEST(Help, StartNamesEveryFlagItsHelpAndItsDefault) {
  const std::string help = on_one_line(text_of("start"));
  int rows = 0;
  for (const OptionRow& row : option_table()) {
    if (row.flag.empty()) {
      continue;
    }
    const std::string named_default =
        default_text(row) == "none" ? "" : " [" + default_text(row) + "]";
    if (!row.ignored.empty()) {
      EXPECT_NE(help.find(std::string(long_flag(row))), std::string::npos) << row.flag;
      continue;
    }
    const std::string value = is_switch(row) ? "" : std::string(row.value_name) + " ";
    const std::string expected =
        std::string(long_flag(row)) + " " + value + std::string(row.help) + named_default;
    EXPECT_NE(help.find(expected), std::string::npos) << expected;
    ++rows;
  }
  EXPECT_GT(rows, 25);
  EXPECT_EQ(text_of("check").substr(text_of("check").find("Flags,")),
            text_of("start").substr(text_of("start").find("Flags,")));
}

TEST(Help, TheOverviewNamesEveryCommand) {
  const std::string overview = overview_text();
  for (const CommandRow& command : command_table()) {
    EXPECT_NE(overview.find("flagstone " + std::string(command.word)), std::string::npos);
    EXPECT_NE(overview.find(command.summary), std::string::npos);
    for (const CommandFlag& flag : command.flags) {
      EXPECT_NE(text_of(command.word).find(flag.flag), std::string::npos) << flag.flag;
    }
  }
}

TEST(Help, FitsOnAScreen) {
  std::string all = overview_text();
  for (const CommandRow& command : command_table()) {
    all += text_of(command.word);
  }
  std::istringstream lines(all);
  for (std::string line; std::getline(lines, line);) {
    const auto chars = std::ranges::count_if(
        line, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
    EXPECT_LE(chars, 100) << line;
    EXPECT_FALSE(line.ends_with(' ')) << line;
  }
}

}  // namespace
}  // namespace flagstone::config
