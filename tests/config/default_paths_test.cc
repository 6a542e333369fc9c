#include "config/default_paths.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace flagstone::config {
namespace {

Surroundings machine(std::set<std::string> writable, std::map<std::string, std::string> variables) {
  return {.can_write = [writable](const std::string& folder) { return writable.contains(folder); },
          .variable = [variables](std::string_view name) -> std::optional<std::string> {
            const auto found = variables.find(std::string(name));
            return found == variables.end() ? std::nullopt : std::optional(found->second);
          }};
}

struct Row {
  std::set<std::string> writable;
  std::map<std::string, std::string> variables;
  std::string_view path;
};

TEST(DefaultPaths, StateDir) {
  for (const Row& row : {
           Row{{"/var/lib/flagstone"}, {{"XDG_STATE_HOME", "/x"}}, "/var/lib/flagstone"},
           Row{{}, {{"XDG_STATE_HOME", "/x"}, {"HOME", "/h"}}, "/x/flagstone"},
           Row{{}, {{"XDG_STATE_HOME", "relative"}, {"HOME", "/h"}}, "/h/.local/state/flagstone"},
           Row{{}, {{"XDG_STATE_HOME", ""}, {"HOME", "/h"}}, "/h/.local/state/flagstone"},
           Row{{}, {}, "/var/lib/flagstone"},
       }) {
    EXPECT_EQ(default_state_dir(machine(row.writable, row.variables)), row.path);
  }
  Options options;
  EXPECT_EQ(state_dir(options, machine({}, {{"HOME", "/h"}})), "/h/.local/state/flagstone");
  options.state.dir = "/given";
  EXPECT_EQ(state_dir(options, machine({}, {{"HOME", "/h"}})), "/given");
}

TEST(DefaultPaths, Socket) {
  for (const Row& row : {
           Row{{"/run/flagstone"}, {{"XDG_RUNTIME_DIR", "/x"}}, "/run/flagstone/flagstone.sock"},
           Row{{}, {{"XDG_RUNTIME_DIR", "/run/user/1"}}, "/run/user/1/flagstone.sock"},
           Row{{}, {}, "/run/flagstone/flagstone.sock"},
       }) {
    EXPECT_EQ(default_socket_path(machine(row.writable, row.variables)), row.path);
  }
}

TEST(DefaultPaths, ListenAddresses) {
  const Surroundings bare = machine({}, {});
  Options options;
  EXPECT_EQ(listen_addresses(options, bare),
            (std::vector<ListenAddress>{{"unix:/run/flagstone/flagstone.sock", "", false},
                                        {"127.0.0.1:8016", "", true}}));
  options.environments.emplace_back();
  options.environments[0].name = "web";
  options.environments[0].listen = {"127.0.0.1:2"};
  EXPECT_EQ(listen_addresses(options, bare),
            (std::vector<ListenAddress>{{"127.0.0.1:2", "web", true}}));
  options.listen = {"127.0.0.1:1"};
  EXPECT_EQ(listen_addresses(options, bare),
            (std::vector<ListenAddress>{{"127.0.0.1:1", "", true}, {"127.0.0.1:2", "web", true}}));
  options.flagd.on = true;
  EXPECT_EQ(listen_addresses(options, bare),
            (std::vector<ListenAddress>{{"127.0.0.1:8013", "", true},
                                        {"127.0.0.1:8015", "", true},
                                        {"127.0.0.1:8016", "", true},
                                        {"127.0.0.1:1", "", true},
                                        {"127.0.0.1:2", "web", true}}));
}

TEST(DefaultPaths, TheRealMachineIsAsked) {
  const Surroundings real = real_surroundings();
  const std::string temp = testing::TempDir();
  EXPECT_TRUE(real.can_write(temp));
  EXPECT_TRUE(real.can_write(temp + "absent"));
  EXPECT_FALSE(real.can_write(temp + "absent/deeper"));
  EXPECT_FALSE(real.can_write("/dev/null"));
  EXPECT_FALSE(real.can_write("/dev/null/x"));
  EXPECT_EQ(real.variable("FLAGSTONE_NOT_SET_AT_ALL"), std::nullopt);
}

}  // namespace
}  // namespace flagstone::config
