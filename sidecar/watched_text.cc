#include "sidecar/watched_text.h"

#include <utility>

namespace flagstone::sidecar {
namespace {

upstream::FileWatchOptions watch_options(std::string path) {
  upstream::FileWatchOptions options;
  options.path = std::move(path);
  options.max_bytes = WatchedText::kBytesMax;
  return options;
}

}  // namespace

WatchedText::WatchedText(net::Loop& loop, upstream::FileReader& files, std::string path,
                         OnText on_text, OnProblem on_problem)
    : on_text_(std::move(on_text)),
      on_problem_(std::move(on_problem)),
      watch_(loop, files, watch_options(std::move(path)), *this) {
  watch_.start();
}

WatchedText::~WatchedText() { watch_.stop(); }

void WatchedText::on_begin(std::string_view) { incoming_.clear(); }

std::expected<void, std::string> WatchedText::on_piece(std::string_view piece) {
  incoming_ += piece;
  return {};
}

std::expected<upstream::Arrival, std::string> WatchedText::on_complete(
    const upstream::Validators&) {
  last_problem_.clear();
  if (!has_text_ || incoming_ != last_text_) {
    has_text_ = true;
    last_text_ = std::exchange(incoming_, {});
    on_text_(last_text_);
  }
  // Nothing stays in work: what the text means is judged by the callback, at once.
  return upstream::Arrival::kUnchanged;
}

void WatchedText::on_unchanged() { last_problem_.clear(); }

void WatchedText::on_failure(upstream::FailureKind, std::string cause, std::chrono::milliseconds) {
  if (cause == last_problem_) return;
  last_problem_ = std::move(cause);
  on_problem_(last_problem_);
}

void WatchedText::on_degraded(std::string_view) {}

}  // namespace flagstone::sidecar
