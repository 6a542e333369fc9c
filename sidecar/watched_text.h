// A small file of the operator's (pins, configuration), followed: its text whenever it changes.
//
// Owned by whoever reads it, on the keeper's loop. Must not be destroyed inside its callbacks.
#pragma once

#include <functional>
#include <string>

#include "upstream/document_sink.h"
#include "upstream/transports/file_watch.h"

namespace flagstone::sidecar {

class WatchedText final : public upstream::DocumentSink {
 public:
  static constexpr std::size_t kBytesMax = 1024 * 1024;

  // The callbacks say what is in the file now, or why it cannot be read; only changes are told.
  using OnText = std::function<void(const std::string& text)>;
  using OnProblem = std::function<void(const std::string& cause)>;

  WatchedText(net::Loop& loop, upstream::FileReader& files, std::string path, OnText on_text,
              OnProblem on_problem);
  ~WatchedText() override;

  void on_begin(std::string_view content_type) override;
  std::expected<void, std::string> on_piece(std::string_view piece) override;
  std::expected<upstream::Arrival, std::string> on_complete(
      const upstream::Validators& validators) override;
  void on_unchanged() override;
  void on_failure(upstream::FailureKind kind, std::string cause,
                  std::chrono::milliseconds retry) override;
  void on_degraded(std::string_view message) override;

 private:
  OnText on_text_;
  OnProblem on_problem_;
  std::string incoming_;
  std::string last_text_;
  bool has_text_ = false;
  std::string last_problem_;
  upstream::FileWatch watch_;
};

}  // namespace flagstone::sidecar
