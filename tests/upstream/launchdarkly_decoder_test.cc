// What is too large for memory goes on into a spool, record by record, with versions and
// tombstones.
#include "upstream/launchdarkly_decoder.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cache/memory_budget.h"

namespace flagstone::upstream {
namespace {

using evaluation::launchdarkly::DataShape;

constexpr std::size_t kLimitBytes = 64 * 1024;  // So 8 KiB of records before they are spooled.

class RecordingSpool final : public cache::DocumentSpool {
 public:
  explicit RecordingSpool(std::string& bytes) : bytes_(bytes) {}
  std::expected<void, cache::SpoolProblem> append(std::string bytes) override {
    bytes_ += bytes;
    return {};
  }
  std::size_t waiting_bytes() const override { return 0; }
  std::shared_ptr<cache::SpoolFile> file() const override { return file_; }

 private:
  std::string& bytes_;
  std::shared_ptr<cache::SpoolFile> file_ = std::make_shared<cache::SpoolFile>();
};

class RecordingSpools final : public cache::DocumentSpools {
 public:
  std::unique_ptr<cache::DocumentSpool> open() override {
    bytes.clear();
    return std::make_unique<RecordingSpool>(bytes);
  }
  std::string bytes;
};

struct Bench {
  cache::MemoryBudget budget{kLimitBytes};
  RecordingSpools spools;
  IncomingMemory memory{&budget, &spools};

  // "key@version", with a minus where it is gone.
  std::vector<std::string> spooled() const {
    std::vector<std::string> lines;
    std::string_view rest = spools.bytes;
    std::size_t needed = 0;
    while (auto record = cache::read_spooled(rest, needed)) {
      lines.push_back(std::string(record->key) + "@" + std::to_string(record->version) +
                      (record->tombstone ? "-" : ""));
    }
    EXPECT_TRUE(rest.empty());
    return lines;
  }
};

std::string flag(int version) {
  return R"({"version":)" + std::to_string(version) + R"(,"x":")" + std::string(500, 'x') + "\"}";
}

TEST(LaunchDarklyDecoderTest, LargeDataIsSpooled) {
  Bench bench;
  LaunchDarklyData data(DataShape::kPut, 1 << 20, bench.memory);
  ASSERT_TRUE(data.feed(R"({"path":"/","data":{"flags":{)"));
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(data.feed("\"f" + std::to_string(i) + "\":" + flag(i + 1) + ","));
    EXPECT_LT(bench.budget.used_bytes(), kLimitBytes);
  }
  ASSERT_TRUE(data.feed(R"("gone":{"version":7,"deleted":true}},"segments":{}}})"));
  auto decoded = data.finish();
  ASSERT_TRUE(decoded) << decoded.error();
  EXPECT_TRUE(decoded->update.records.empty());
  const auto* elsewhere =
      static_cast<const cache::SpooledDocument*>(decoded->update.elsewhere.get());
  ASSERT_NE(elsewhere, nullptr);
  EXPECT_EQ(elsewhere->records, 101U);
  EXPECT_EQ(elsewhere->bytes, bench.spools.bytes.size());
  const auto spooled = bench.spooled();
  ASSERT_EQ(spooled.size(), 101U);
  EXPECT_EQ(spooled[0], "f0@1");
  EXPECT_EQ(spooled[99], "f99@100");
  EXPECT_EQ(spooled[100], "gone@7-");
}

TEST(LaunchDarklyDecoderTest, SmallDataIsNot) {
  Bench bench;
  LaunchDarklyData data(DataShape::kPlain, 1 << 20, bench.memory);
  ASSERT_TRUE(data.feed(R"({"flags":{"a":{"version":1}}})"));
  auto decoded = data.finish();
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->update.records.size(), 1U);
  EXPECT_EQ(decoded->update.elsewhere, nullptr);
}

std::string put_object(int i) {
  return R"({"kind":"flag","key":"f)" + std::to_string(i) + R"(","version":1,"object":)" +
         flag(i + 1) + "}";
}

TEST(LaunchDarklyDecoderTest, ALargeTransferOfEverythingIsSpooled) {
  Bench bench;
  LaunchDarklyTransfers transfers(1 << 20, bench.memory);
  const std::string intent = R"({"payloads":[{"intentCode":"xfer-full"}]})";
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(transfers.on_event("server-intent", intent));
    for (int i = 0; i < 100; ++i) {
      ASSERT_TRUE(transfers.on_event("put-object", put_object(i)));
      EXPECT_LT(bench.budget.used_bytes(), kLimitBytes);
    }
    ASSERT_EQ(transfers.on_event("payload-transferred", R"({"state":"s"})"),
              LaunchDarklyTransfers::Step::kComplete);
    const evaluation::Update update = transfers.take();
    EXPECT_EQ(update.kind, evaluation::UpdateKind::kFull);
    EXPECT_EQ(update.cursor, "s");
    ASSERT_NE(update.elsewhere, nullptr);
    EXPECT_EQ(bench.spooled().size(), 100U);
    EXPECT_EQ(bench.budget.used_bytes(), 0U);
  }
}

// They are asked for anew without a basis: everything can be spooled.
TEST(LaunchDarklyDecoderTest, ChangesThatAreTooLargeAreRefused) {
  Bench bench;
  LaunchDarklyTransfers transfers(1 << 20, bench.memory);
  ASSERT_TRUE(
      transfers.on_event("server-intent", R"({"payloads":[{"intentCode":"xfer-changes"}]})"));
  bool refused = false;
  for (int i = 0; i < 100 && !refused; ++i) {
    refused = !transfers.on_event("put-object", put_object(i));
  }
  EXPECT_TRUE(refused);
  EXPECT_LT(bench.budget.used_bytes(), kLimitBytes);
}

TEST(LaunchDarklyDecoderTest, ATransferHasAMostSize) {
  LaunchDarklyTransfers transfers(2000, {});
  ASSERT_TRUE(transfers.on_event("server-intent", R"({"payloads":[{"intentCode":"xfer-full"}]})"));
  EXPECT_TRUE(transfers.on_event("put-object", put_object(1)));
  EXPECT_TRUE(transfers.on_event("put-object", put_object(2)));
  EXPECT_TRUE(transfers.on_event("put-object", put_object(3)));
  const auto fourth = transfers.on_event("put-object", put_object(4));
  ASSERT_FALSE(fourth);
  EXPECT_TRUE(fourth.error().contains("more than 2000 bytes")) << fourth.error();
}

}  // namespace
}  // namespace flagstone::upstream
