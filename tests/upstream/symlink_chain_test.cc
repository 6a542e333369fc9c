#include "upstream/symlink_chain.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/fakes/upstream/source_fixture.h"

namespace flagstone::upstream {

void PrintTo(const NameInFolder& step, std::ostream* out) {
  *out << step.folder << " " << step.name;
}

namespace {

namespace fs = std::filesystem;
using Chain = std::vector<NameInFolder>;

TEST(SymlinkChain, EveryLinkAndTheFile) {
  const fakes::TemporaryFolder folder;
  const std::string root = folder.path();
  fs::create_directories(folder.path("cfg/..1"));
  fakes::write_file(folder.path("cfg/..1/flags.json"), "{}");
  fs::create_symlink("..1", folder.path("cfg/..data"));
  fs::create_symlink("..data/flags.json", folder.path("cfg/flags.json"));
  fs::create_symlink(root + "/cfg", folder.path("link"));
  fs::create_symlink("a", folder.path("b"));
  fs::create_symlink("b", folder.path("a"));

  EXPECT_EQ(symlink_chain(root + "/cfg/..1/flags.json"),
            (Chain{{root + "/cfg/..1", "flags.json"}}));
  EXPECT_EQ(symlink_chain(root + "/cfg/flags.json"), (Chain{{root + "/cfg", "flags.json"},
                                                            {root + "/cfg", "..data"},
                                                            {root + "/cfg/..1", "flags.json"}}));
  EXPECT_EQ(symlink_chain(root + "/link/./x/../flags.json").front(), (NameInFolder{root, "link"}));
  EXPECT_EQ(symlink_chain(root + "/cfg/none"), (Chain{{root + "/cfg", "none"}}));
  EXPECT_EQ(symlink_chain(root + "/none/deep/flags.json"), (Chain{{root, "none"}}));
  EXPECT_LE(symlink_chain(root + "/a").size(), 41U);
}

TEST(SymlinkChain, RelativePathsBeginAtTheWorkingFolder) {
  EXPECT_EQ(symlink_chain("surely-not-there"),
            (Chain{{fs::current_path().string(), "surely-not-there"}}));
}

}  // namespace
}  // namespace flagstone::upstream
