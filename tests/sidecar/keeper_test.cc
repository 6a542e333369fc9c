// What the keeper does in which order, with a vendor that only writes down what it is asked for.
#include "sidecar/keeper.h"

#include <gtest/gtest.h>
#include <spdlog/logger.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "cache/memory_budget.h"
#include "evaluation/dialects/flagd/flagd_dialect.h"
#include "tests/sidecar/upstream_surroundings.h"

namespace flagstone::sidecar {
namespace {

using Journal = std::vector<std::string>;

class FakeSource final : public upstream::Source {
 public:
  FakeSource(Journal& journal, std::string uri) : journal_(journal), uri_(std::move(uri)) {}

  upstream::SourceKind kind() const override { return upstream::SourceKind::kStream; }
  std::string_view uri() const override { return uri_; }
  std::chrono::milliseconds interval() const override { return std::chrono::milliseconds(0); }
  const config::Secret& credential() const override { return credential_; }
  void resume(std::string_view) override {}
  void start() override { journal_.emplace_back("source starts"); }
  void stop() override {}
  void settle(upstream::Outcome) override {}
  void refresh() override {}
  void try_now() override { journal_.emplace_back("source tries"); }

 private:
  Journal& journal_;
  std::string uri_;
  config::Secret credential_;
};

// Its first deed is on the disk, as the spool's.
class FakeForwarder final : public upstream::EventForwarder {
 public:
  FakeForwarder(Journal& journal, upstream::EventForwarderTools tools)
      : journal_(journal), tools_(std::move(tools)) {
    EXPECT_TRUE(tools_.disk->submit([this] {
      (void)tools_.sources.loop.post([this] { journal_.emplace_back("spool is open"); });
    }));
  }
  ~FakeForwarder() override { journal_.emplace_back("forwarder gone"); }

  void post(upstream::PostedEvents, Done done) override { done(upstream::PostResult::kTaken); }
  bool add(std::string_view, std::string_view, std::string) override { return true; }
  std::int64_t vendor_unix_ms() const override { return 0; }
  void set_options(const config::Environment&) override {}
  void try_now() override { journal_.emplace_back("forwarder tries"); }
  void flush() override {}
  void finish(std::int64_t limit_ms, std::move_only_function<void()> done) override {
    EXPECT_GT(limit_ms, 0);
    journal_.emplace_back("forwarder finishes");
    finished = std::move(done);
  }
  upstream::EventFacts facts() const override { return {}; }

  std::move_only_function<void()> finished;

 private:
  Journal& journal_;
  upstream::EventForwarderTools tools_;
};

// Nothing is asked for: it is about when what was counted is handed over.
class FakeReporter final : public EvaluationReporter {
 public:
  void report(const evaluation::EvaluationContext&, const evaluation::Evaluation&, bool,
              evaluation::Moment) override {}
  void report_unknown(std::string_view, const evaluation::EvaluationContext&,
                      evaluation::Moment) override {}
  void hand_over() override { ++handed_over; }

  std::atomic<int> handed_over = 0;  // By the serving thread.
};

class FakeReports final : public ReportCollector {
 public:
  FakeReports(Journal& journal, FakeReporter& reporter) : journal_(journal), reporter_(reporter) {}

  void set_options(const config::Environment&) override {}
  void add_reporter(std::move_only_function<void()>) override {}
  EvaluationReporter& reporter(std::size_t) override { return reporter_; }
  void drain(upstream::EventForwarder&, std::int64_t) override {}
  bool flush(upstream::EventForwarder&) override {
    journal_.push_back("flushed, handed over: " + std::to_string(reporter_.handed_over));
    return true;
  }
  ReportFacts facts() const override { return {}; }

 private:
  Journal& journal_;
  FakeReporter& reporter_;
};

class KeeperTest : public testing::Test {
 protected:
  ~KeeperTest() override { std::filesystem::remove_all(folder); }
  static config::Environment environment(std::string name) {
    config::Environment options;
    options.name = std::move(name);
    options.dialect = "fake";
    options.sources.emplace_back().uri = "fake://upstream";
    return options;
  }
  void configure(const std::vector<config::Environment>& environments) {
    ASSERT_TRUE(keeper.configure(environments).has_value());
  }
  std::size_t place_of(std::string_view entry) const {
    return static_cast<std::size_t>(std::ranges::find(journal, entry) - journal.begin());
  }
  bool has(std::string_view entry) const { return place_of(entry) < journal.size(); }
  // The environment is served. The keeper was not started: no ping has anything handed over.
  void serve(const config::Environment& options) {
    keeper.add_thread(thread);
    configure({options});
    thread.start(keeper.serving_state());
    around.run_until([&] { return has("spool is open") && has("source starts"); });
    EXPECT_EQ(reporter.handed_over, 0);
  }

  Journal journal;
  FakeForwarder* forwarder = nullptr;
  FakeReporter reporter;
  const std::vector<Vendor> vendors{
      {.name = "fake",
       .make_dialect = [](const auto&) { return evaluation::flagd::make_flagd_dialect({}); },
       .make_source =
           [this](const config::Source& options, const auto&, auto&) {
             return std::expected<std::unique_ptr<upstream::Source>, std::string>(
                 std::make_unique<FakeSource>(journal, options.uri));
           },
       .check_document = {},
       .make_apis = [](net::Loop&,
                       ServingDesk&) { return std::vector<std::unique_ptr<ServingApi>>(); },
       .make_events =
           [this](const config::Environment&, upstream::EventForwarderTools tools) {
             auto made = std::make_unique<FakeForwarder>(journal, std::move(tools));
             forwarder = made.get();
             return made;
           },
       .make_reports =
           [this](const config::Environment&) {
             return std::make_unique<FakeReports>(journal, reporter);
           }}};
  spdlog::logger log{"test"};
  cache::MemoryBudget budget;
  cache::EntryHome home{budget};
  TlsFacts tls;
  std::string folder = [] {
    std::string pattern = (std::filesystem::temp_directory_path() / "keeper-XXXXXX").string();
    return std::string(mkdtemp(pattern.data()));
  }();
  UpstreamSurroundings around;
  StateSaver saver{around.loop, around.writer, around.reader, log, folder, std::uint64_t{1} << 30};
  Keeper keeper{{.loop = around.loop,
                 .vendors = vendors,
                 .sources = around.environment(),
                 .home = home,
                 .saver = saver,
                 .log = log,
                 .listener_names = {},
                 .listener_environments = {},
                 .tls = tls}};
  ServingThread thread{around.loop, {}, vendors};
};

TEST_F(KeeperTest, TheStateIsReadBeforeWhatEventsLeftOnTheDisk) {
  configure({environment("one")});
  around.run_until([&] { return has("spool is open") && has("source starts"); });
  // A source starts once its state was loaded.
  EXPECT_LT(place_of("source starts"), place_of("spool is open"));
}

TEST_F(KeeperTest, AnEnvironmentThatIsTakenOutSendsWhatItHas) {
  configure({environment("one"), environment("two")});
  FakeForwarder& of_two = *forwarder;
  around.run_until([&] { return std::ranges::count(journal, "spool is open") == 2; });
  configure({environment("one")});
  EXPECT_TRUE(has("forwarder finishes"));
  EXPECT_FALSE(has("forwarder gone")) << "not before it is done";
  std::exchange(of_two.finished, {})();
  EXPECT_TRUE(has("forwarder gone"));
  EXPECT_EQ(std::ranges::count(journal, "forwarder finishes"), 1) << "the other goes on";
}

TEST_F(KeeperTest, OneThatIsTakenOutSendsWhatThreadsStillCount) {
  serve(environment("one"));
  configure({});
  EXPECT_FALSE(has("forwarder finishes")) << "not before they have handed it over";
  around.run_until([&] { return has("forwarder finishes"); });
  EXPECT_LT(place_of("flushed, handed over: 1"), place_of("forwarder finishes"));
}

TEST_F(KeeperTest, WhoIsToldNoMoreGetsWhatThreadsStillCount) {
  config::Environment options = environment("one");
  serve(options);
  // The first of its rounds pings; the next does not.
  keeper.flush_events();
  around.run_until([&] { return reporter.handed_over == 1; });
  options.events.enabled = false;
  configure({options, environment("two")});
  keeper.start();
  bool has_turned = false;
  thread.turn([&] { has_turned = true; });
  around.run_until([&] { return has_turned; });
  EXPECT_EQ(reporter.handed_over, 2);
  EXPECT_FALSE(has("forwarder finishes"));
}

TEST_F(KeeperTest, OneThatComesBackHasOneWayToItsFolder) {
  configure({environment("one"), environment("two")});
  around.run_until([&] { return std::ranges::count(journal, "spool is open") == 2; });
  configure({environment("one")});
  journal.clear();
  configure({environment("one"), environment("two")});
  EXPECT_EQ(journal, Journal{"forwarder gone"}) << "before there is another one";
  around.run_until([&] { return has("spool is open"); });
}

TEST_F(KeeperTest, AnOperatorsWordGoesToSourcesAndEvents) {
  configure({environment("one"), environment("two")});
  around.run_until([&] { return std::ranges::count(journal, "source starts") == 2; });
  keeper.retry_refused();
  EXPECT_FALSE(has("forwarder tries"));
  EXPECT_FALSE(has("source tries")) << "no option that changed is an operator's word";
  keeper.try_now();
  EXPECT_EQ(std::ranges::count(journal, "forwarder tries"), 2);
  EXPECT_EQ(std::ranges::count(journal, "source tries"), 2);
}

}  // namespace
}  // namespace flagstone::sidecar
