#include "upstream/flagd_decoder.h"

#include <gtest/gtest.h>

#include <set>

namespace flagstone::upstream {
namespace {

using cache::MemoryBudget;
using cache::MemoryPart;
using evaluation::flagd::DocumentFormat;

// Spools into memory, and refuses when told to.
class FakeSpools final : public cache::DocumentSpools {
 public:
  std::unique_ptr<cache::DocumentSpool> open() override {
    if (absent) return nullptr;
    ++opened;
    return std::make_unique<Spool>(*this);
  }

  std::string bytes;
  int opened = 0;
  bool absent = false;
  std::string refusal;
  // The disk takes nothing.
  bool hangs = false;

 private:
  class Spool final : public cache::DocumentSpool {
   public:
    explicit Spool(FakeSpools& spools) : spools_(spools) {}
    std::expected<void, cache::SpoolProblem> append(std::string more) override {
      if (!spools_.refusal.empty()) {
        return std::unexpected(cache::SpoolProblem{.message = spools_.refusal});
      }
      spools_.bytes += more;
      return {};
    }
    std::size_t waiting_bytes() const override { return spools_.hangs ? spools_.bytes.size() : 0; }
    std::shared_ptr<cache::SpoolFile> file() const override {
      return std::make_shared<cache::SpoolFile>();
    }

   private:
    FakeSpools& spools_;
  };
};

std::string document(std::size_t flags, std::string_view rest = "") {
  std::string text = R"({"flags":{)";
  for (std::size_t i = 0; i < flags; ++i) {
    if (i > 0) text += ',';
    text += "\"flag-" + std::to_string(i) +
            R"(":{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"on"})";
  }
  text += '}';
  return text.append(rest).append("}");
}

struct Decoded {
  explicit Decoded(std::string_view text, FakeSpools* spools, std::size_t limit) : budget(limit) {
    FlagdDecoder decoder(DocumentFormat::kJson, 1 << 30, {.budget = &budget, .spools = spools});
    for (std::size_t at = 0; at < text.size(); at += 10'000) {
      auto fed = decoder.feed(text.substr(at, 10'000));
      EXPECT_TRUE(fed) << fed.error();
      most_bytes = std::max(most_bytes, budget.used_bytes(MemoryPart::kUpdates));
    }
    result = decoder.finish();
  }
  const cache::SpooledDocument* spooled() const {
    return static_cast<const cache::SpooledDocument*>(result->update.elsewhere.get());
  }

  MemoryBudget budget;
  std::size_t most_bytes = 0;
  std::expected<DecodedDocument, std::string> result;
};

TEST(FlagdDecoderTest, WhatFitsStaysInMemory) {
  FakeSpools spools;
  const Decoded small(document(1000), &spools, 64 << 20);
  ASSERT_TRUE(small.result);
  EXPECT_EQ(small.result->update.records.size(), 1000U);
  EXPECT_EQ(small.spooled(), nullptr);
  EXPECT_EQ(spools.opened, 0);
  EXPECT_GT(small.most_bytes, 1000U * 100U);
  EXPECT_EQ(small.budget.used_bytes(), 0U) << "handed on with the document";
}

TEST(FlagdDecoderTest, WhatIsTooLargeGoesByWayOfTheDisk) {
  FakeSpools spools;
  const std::string rest =
      R"(,"$evaluators":{"e":{"==":[1,1]}},"metadata":{"flagSetId":"late","v":1})";
  const std::string text = document(20'000, rest);
  const Decoded large(text, &spools, 2 << 20);
  ASSERT_TRUE(large.result) << large.result.error();
  EXPECT_EQ(spools.opened, 1);
  ASSERT_NE(large.spooled(), nullptr);
  EXPECT_TRUE(large.result->update.records.empty());
  EXPECT_EQ(large.spooled()->records, 20'001U);
  EXPECT_EQ(large.spooled()->document_set_id, "late");
  EXPECT_EQ(large.result->update.metadata, R"({"flagSetId":"late","v":1})");
  EXPECT_EQ(large.spooled()->bytes, spools.bytes.size());
  EXPECT_LE(large.most_bytes, (2U << 20) / IncomingMemory::kShareOfLimit + (400U << 10));
  std::set<std::string> keys;
  std::string_view left = spools.bytes;
  std::size_t needed = 0;
  while (auto record = cache::read_spooled(left, needed)) {
    EXPECT_FALSE(record->has_own_set);
    EXPECT_NE(text.find(record->raw), std::string::npos);
    keys.insert(std::string(record->key));
    if (keys.size() > 100) break;
  }
  EXPECT_EQ(keys.size(), 101U);
  // The same bytes are the same document, whichever way they went.
  EXPECT_EQ(large.result->digest, Decoded(text, nullptr, SIZE_MAX).result->digest);
}

TEST(FlagdDecoderTest, WithoutADiskTheDocumentSaysWhyItCannotBeTakenIn) {
  FakeSpools absent;
  absent.absent = true;
  FakeSpools full;
  full.refusal = "no space";
  for (FakeSpools* spools : {&absent, &full}) {
    const Decoded large(document(20'000), spools, 2 << 20);
    ASSERT_TRUE(large.result) << "whoever takes it in refuses it";
    ASSERT_NE(large.spooled(), nullptr);
    ASSERT_TRUE(large.spooled()->spool->problem);
    EXPECT_FALSE(large.spooled()->spool->problem->passes);
    EXPECT_LE(large.most_bytes, 3U << 20);
  }
  // What memory is left may be used where there is no other way.
  const Decoded middling(document(5'000), &absent, 4 << 20);
  EXPECT_EQ(middling.spooled(), nullptr);
  EXPECT_EQ(middling.result->update.records.size(), 5'000U);
}

// A document that is fed as long as the disk keeps up.
struct Fed {
  explicit Fed(FakeSpools& spools, std::size_t limit) : budget(limit) {
    decoder.emplace(DocumentFormat::kJson, 1 << 30,
                    IncomingMemory{.budget = &budget, .spools = &spools});
  }
  void feed_until_behind() {
    while (at < text.size() && !decoder->is_behind()) feed();
  }
  void feed_all() {
    while (at < text.size()) feed();
  }
  void feed() {
    const std::string_view piece = std::string_view(text).substr(at, 10'000);
    EXPECT_TRUE(decoder->feed(piece));
    at += piece.size();
  }
  const cache::SpooledDocument& finish() {
    result = decoder->finish();
    EXPECT_TRUE(result) << result.error();
    return static_cast<const cache::SpooledDocument&>(*result->update.elsewhere);
  }

  MemoryBudget budget;
  std::string text = document(100'000);  // Some 8 MB.
  std::size_t at = 0;
  std::optional<FlagdDecoder> decoder;
  std::expected<DecodedDocument, std::string> result;
};

TEST(FlagdDecoderTest, SaysWhenTheDiskIsBehindAndGoesOnAfterwards) {
  FakeSpools spools;
  spools.hangs = true;
  Fed fed(spools, 8 << 20);
  const IncomingMemory memory{&fed.budget, &spools};
  fed.feed_until_behind();
  EXPECT_GE(spools.bytes.size(), memory.spool_waiting_bytes());
  EXPECT_LT(spools.bytes.size(), memory.share_bytes() + memory.spool_waiting_bytes());
  EXPECT_GE(fed.budget.used_bytes(MemoryPart::kUpdates), spools.bytes.size())
      << "what waits is memory that is held";
  spools.hangs = false;
  EXPECT_FALSE(fed.decoder->is_behind());
  fed.feed_all();
  const cache::SpooledDocument& spooled = fed.finish();
  EXPECT_EQ(spooled.records, 100'000U);
  EXPECT_FALSE(spooled.spool->problem);
  EXPECT_FALSE(spooled.given_up);
}

TEST(FlagdDecoderTest, ADiskThatHangsCostsTheDocumentAndNoMemory) {
  FakeSpools spools;
  spools.hangs = true;
  for (const bool is_waited_for : {true, false}) {
    spools.bytes.clear();
    Fed fed(spools, 8 << 20);
    fed.feed_until_behind();
    if (is_waited_for) fed.decoder->stop_waiting();
    // What nobody pauses goes on until the memory is used.
    fed.feed_all();
    EXPECT_FALSE(fed.decoder->is_behind());
    EXPECT_LE(spools.bytes.size(), is_waited_for ? 2U << 20 : 8U << 20);
    const cache::SpooledDocument& spooled = fed.finish();
    ASSERT_TRUE(spooled.spool->problem) << is_waited_for;
    EXPECT_TRUE(spooled.spool->problem->passes);
    EXPECT_TRUE(spooled.given_up);
  }
}

TEST(FlagdDecoderTest, MembersThatAppearTwiceCannotBeReplacedOnDisk) {
  FakeSpools spools;
  MemoryBudget budget(2 << 20);
  FlagdDecoder decoder(DocumentFormat::kJson, 1 << 30, {.budget = &budget, .spools = &spools});
  std::string text = document(20'000);
  text.pop_back();
  text += R"(,"flags":{}})";
  ASSERT_TRUE(decoder.feed(std::string_view(text).substr(0, text.size() - 20)));
  const auto refused = decoder.feed(std::string_view(text).substr(text.size() - 20));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().find("appears twice"), std::string::npos) << refused.error();
}

}  // namespace
}  // namespace flagstone::upstream
