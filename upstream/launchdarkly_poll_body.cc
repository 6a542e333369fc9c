#include "upstream/launchdarkly_poll_body.h"

#include <iterator>
#include <utility>

namespace flagstone::upstream {

namespace launchdarkly = evaluation::launchdarkly;

namespace {

class Fdv1PollBody final : public LaunchDarklyPollBody {
 public:
  Fdv1PollBody(std::uint64_t bytes_max, const IncomingMemory& memory)
      : data_(launchdarkly::DataShape::kPlain, bytes_max, memory) {}

  std::expected<void, std::string> feed(std::string_view piece) override {
    return data_.feed(piece);
  }

  std::expected<std::optional<LaunchDarklyUpdate>, std::string> finish() override {
    auto decoded = data_.finish();
    if (!decoded) return std::unexpected(std::move(decoded.error()));
    LaunchDarklyUpdate brought{.update = std::move(decoded->update), .cursor = {}};
    brought.cursor.digest = std::move(decoded->digest);
    return brought;
  }

  bool is_behind() const override { return data_.is_behind(); }
  void stop_waiting() override { data_.stop_waiting(); }

 private:
  LaunchDarklyData data_;
};

class Fdv2PollBody final : public LaunchDarklyPollBody,
                           private launchdarkly::PollScanner::Receiver {
 public:
  Fdv2PollBody(std::uint64_t bytes_max, const IncomingMemory& memory, bool has_basis)
      : has_base_(has_basis),
        scanner_(bytes_max, memory.record_bytes_max(), *this),
        transfers_(bytes_max, memory) {}

  std::expected<void, std::string> feed(std::string_view piece) override {
    if (auto fed = scanner_.feed(piece); !fed) return std::unexpected(to_string(fed.error()));
    return {};
  }

  std::expected<std::optional<LaunchDarklyUpdate>, std::string> finish() override {
    if (auto whole = scanner_.finish(); !whole) return std::unexpected(to_string(whole.error()));
    if (update_) return std::move(update_);
    if (is_current_) return std::nullopt;
    return std::unexpected("no transfer in it came to its end");
  }

  bool is_behind() const override { return transfers_.is_behind(); }
  void stop_waiting() override { transfers_.stop_waiting(); }

 private:
  std::expected<void, std::string> on_polled(std::string_view name,
                                             std::string_view data) override {
    using Step = LaunchDarklyTransfers::Step;
    const auto step = transfers_.on_event(name, data);
    if (!step) return std::unexpected(step.error());
    const bool has_ground = has_base_ || transfers_.transfer().is_full();
    if ((*step == Step::kBegun || *step == Step::kCurrent) && !has_ground) {
      return std::unexpected("changes to what was never sent");
    }
    if (*step == Step::kCurrent) is_current_ = true;
    return *step == Step::kComplete ? complete() : std::expected<void, std::string>{};
  }

  // An answer may hold several transfers; together they are one update.
  std::expected<void, std::string> complete() {
    evaluation::Update next = transfers_.take();
    std::string selector = std::exchange(next.cursor, {});
    if (update_ && next.kind == evaluation::UpdateKind::kDelta) {
      if (update_->update.elsewhere) return std::unexpected("more transfers than fit into memory");
      auto& records = update_->update.records;
      records.insert(records.end(), std::make_move_iterator(next.records.begin()),
                     std::make_move_iterator(next.records.end()));
    } else {
      update_.emplace();
      update_->update = std::move(next);
    }
    has_base_ = true;
    update_->cursor.protocol = LaunchDarklyProtocol::kFdv2;
    update_->cursor.selector = std::move(selector);
    return {};
  }

  bool has_base_;
  bool is_current_ = false;
  launchdarkly::PollScanner scanner_;
  LaunchDarklyTransfers transfers_;
  std::optional<LaunchDarklyUpdate> update_;
};

}  // namespace

std::unique_ptr<LaunchDarklyPollBody> make_fdv1_poll_body(std::uint64_t bytes_max,
                                                          const IncomingMemory& memory) {
  return std::make_unique<Fdv1PollBody>(bytes_max, memory);
}

std::unique_ptr<LaunchDarklyPollBody> make_fdv2_poll_body(std::uint64_t bytes_max,
                                                          const IncomingMemory& memory,
                                                          bool has_basis) {
  return std::make_unique<Fdv2PollBody>(bytes_max, memory, has_basis);
}

}  // namespace flagstone::upstream
