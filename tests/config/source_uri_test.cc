#include "config/source_uri.h"

#include <gtest/gtest.h>

namespace flagstone::config {
namespace {

TEST(SourceUri, FindsFiles) {
  struct Row {
    std::string_view uri, folder, path;
  };
  for (const Row& row : {
           Row{"file:flags.json", "", "flags.json"},
           Row{"file:flags.json", "conf", "conf/flags.json"},
           Row{"file:./a/../flags.json", "conf", "conf/flags.json"},
           Row{"file:../flags.json", "conf", "flags.json"},
           Row{"file:/etc/flags.json", "conf", "/etc/flags.json"},
           Row{"file:///etc/flags.json", "conf", "/etc/flags.json"},
           Row{"FILE:flags.json", "", "flags.json"},
           Row{"file://host/flags.json", "", ""},
           Row{"file:", "", ""},
           Row{"https://x/flags.json", "conf", ""},
           Row{"flags.json", "conf", ""},
       }) {
    EXPECT_EQ(source_path(row.uri, row.folder), row.path) << row.uri << " in " << row.folder;
  }
}

TEST(SourceUri, SaysWhatIsWrong) {
  struct Row {
    std::string_view uri, problem;
  };
  constexpr std::string_view kPassword =
      "the URI contains a user or password, put the secret into a file and name it with "
      "`credential_file`";
  for (const Row& row : {
           Row{"file:flags.json", ""},
           Row{"http://127.0.0.1:8080/flags", ""},
           Row{"HTTPS://flags.example.com", ""},
           Row{"https://h/path?x=a@b", ""},
           Row{"flags.json", "`flags.json` has no scheme, write `file:flags.json` for a file"},
           Row{"file:", "`file:` needs a path, like `file:/etc/flags.json`"},
           Row{"file://etc/x",
               "`file://etc/x` names a host, write `file:/path` or `file:relative/path`"},
           Row{"https:flags", "`https:flags` has no host, write `https://HOST/PATH`"},
           Row{"https:///flags", "`https:///flags` has no host, write `https://HOST/PATH`"},
           Row{"http://:80/", "`http://:80/` has no host, write `http://HOST/PATH`"},
           Row{"https://user:canary@h/x", kPassword},
           Row{"https://canary@h", kPassword},
           Row{"canary@h/x",
               "the URI has no scheme, known are `file:`, `http:`, `https:` "
               "and `http+unix:`"},
           Row{"https://h/a b",
               "the URI contains a space or control character, write it percent-encoded"},
           Row{"grpc://h:8015",
               "`grpc:` is not a source that can be read, known are `file:`, `http:`, "
               "`https:` and `http+unix:`"},
           Row{"http+unix://%2Frun%2Fflags.sock/flags", ""},
           Row{"http+unix://run/flags.sock",
               "`http+unix://run/flags.sock` names no socket, write "
               "`http+unix://%2Frun%2Fflags.sock/PATH`"},
       }) {
    EXPECT_EQ(uri_problem(row.uri).value_or(""), row.problem) << row.uri;
  }
}

}  // namespace
}  // namespace flagstone::config
