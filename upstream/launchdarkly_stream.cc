#include "upstream/launchdarkly_stream.h"

#include <utility>

#include "evaluation/dialects/launchdarkly/wire/item_change.h"

namespace flagstone::upstream {

namespace launchdarkly = evaluation::launchdarkly;

namespace {

// A buffer that once held a large event is given back.
constexpr std::size_t kBufferKeptBytes = std::size_t{64} * 1024;

}  // namespace

void LaunchDarklyStream::begin(LaunchDarklyProtocol protocol, bool has_basis) {
  forget();
  protocol_ = protocol;
  has_base_ = has_basis;
  transfers_.reset();
  if (protocol == LaunchDarklyProtocol::kFdv2) {
    transfers_ = std::make_unique<LaunchDarklyTransfers>(bytes_max_, memory_);
  }
}

bool LaunchDarklyStream::is_within_data() const {
  return data_ != nullptr || !text_.empty() || (transfers_ && transfers_->is_under_way());
}

bool LaunchDarklyStream::is_receiving() {
  return (std::exchange(received_, false) && is_within_data()) || must_wait();
}

bool LaunchDarklyStream::must_wait() const {
  return (data_ && data_->is_behind()) || (transfers_ && transfers_->is_behind());
}

void LaunchDarklyStream::stop_waiting() {
  if (data_) data_->stop_waiting();
  if (transfers_) transfers_->stop_waiting();
}

void LaunchDarklyStream::forget() {
  data_.reset();
  text_.clear();
  if (text_.capacity() > kBufferKeptBytes) text_ = {};
  if (text_held_) text_held_->hold(text_.capacity());
}

EventSink::Wish LaunchDarklyStream::on_event_begin(std::string_view name) {
  forget();
  name_ = name;
  if (protocol_ == LaunchDarklyProtocol::kFdv1) return begin_fdv1_event();
  if (!launchdarkly::is_transfer_event(name)) return Wish::kIgnore;
  return host_.can_take_changes() ? Wish::kTake : Wish::kWait;
}

EventSink::Wish LaunchDarklyStream::begin_fdv1_event() {
  if (name_ == "put") {
    if (!host_.can_take_data()) return Wish::kWait;
    data_ = std::make_unique<LaunchDarklyData>(launchdarkly::DataShape::kPut, bytes_max_, memory_);
    return Wish::kTake;
  }
  if (name_ != "patch" && name_ != "delete") return Wish::kIgnore;
  return host_.can_take_changes() ? Wish::kTake : Wish::kWait;
}

std::expected<void, std::string> LaunchDarklyStream::on_event_data(std::string_view piece) {
  received_ = true;
  if (data_) {
    auto fed = data_->feed(piece);
    if (!fed) return std::unexpected("put: " + fed.error());
    return {};
  }
  if (text_.size() + piece.size() > memory_.record_bytes_max()) {
    return std::unexpected(name_ + ": more than " + std::to_string(memory_.record_bytes_max()) +
                           " bytes");
  }
  text_ += piece;
  if (text_held_) text_held_->hold(text_.capacity());
  return {};
}

std::expected<EventSink::Next, std::string> LaunchDarklyStream::on_event_end() {
  if (data_) return end_put();
  const std::string text = std::exchange(text_, {});
  return protocol_ == LaunchDarklyProtocol::kFdv1 ? end_change(text) : end_transfer_event(text);
}

std::expected<EventSink::Next, std::string> LaunchDarklyStream::end_put() {
  auto decoded = data_->finish();
  data_.reset();
  if (!decoded) return std::unexpected("put: " + decoded.error());
  if (!decoded->is_everything) return Next::kGoOn;
  has_base_ = true;
  if (host_.is_current(decoded->digest)) {
    host_.on_stream_current();
    return Next::kGoOn;
  }
  LaunchDarklyUpdate brought{.update = std::move(decoded->update),
                             .cursor = {.protocol = LaunchDarklyProtocol::kFdv1,
                                        .digest = std::move(decoded->digest),
                                        .etag = {},
                                        .selector = {}}};
  host_.on_streamed(std::move(brought));
  return Next::kGoOn;
}

std::expected<EventSink::Next, std::string> LaunchDarklyStream::end_change(std::string_view text) {
  auto record = name_ == "patch" ? launchdarkly::read_patch(text) : launchdarkly::read_delete(text);
  if (!record) return std::unexpected(name_ + ": " + record.error());
  if (!*record) return Next::kGoOn;
  if (!has_base_) return std::unexpected("a " + name_ + " before any put");
  LaunchDarklyUpdate brought;
  brought.update.kind = evaluation::UpdateKind::kDelta;
  brought.update.records.push_back(std::move(**record));
  host_.on_streamed(std::move(brought));
  return Next::kGoOn;
}

std::expected<EventSink::Next, std::string> LaunchDarklyStream::end_transfer_event(
    std::string_view text) {
  using Step = LaunchDarklyTransfers::Step;
  const auto step = transfers_->on_event(name_, text);
  if (!step) return std::unexpected(step.error());
  switch (*step) {
    case Step::kNothing:
    case Step::kChange:
    case Step::kDiscarded:
      return Next::kGoOn;
    case Step::kGoodbye:
      return host_.on_goodbye(transfers_->transfer().fallback_ttl_s());
    case Step::kBegun:
      if (has_base_ || transfers_->transfer().is_full()) return Next::kGoOn;
      return std::unexpected("changes to what was never sent");
    case Step::kCurrent:
      if (!has_base_) return std::unexpected("nothing is sent where there is nothing");
      host_.on_stream_current();
      return Next::kGoOn;
    case Step::kComplete:
      break;
  }
  LaunchDarklyUpdate brought{.update = transfers_->take(), .cursor = {}};
  has_base_ = true;
  brought.cursor.protocol = LaunchDarklyProtocol::kFdv2;
  brought.cursor.selector = std::exchange(brought.update.cursor, {});
  host_.on_streamed(std::move(brought));
  return Next::kGoOn;
}

void LaunchDarklyStream::on_stream_failure(FailureKind kind, std::string cause,
                                           milliseconds retry) {
  forget();
  transfers_.reset();
  host_.on_stream_failure(kind, std::move(cause), retry);
}

}  // namespace flagstone::upstream
