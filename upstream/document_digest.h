// The digest of a document's bytes as they come: equal for equal bytes, whatever the pieces.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace flagstone::upstream {

class DocumentDigest {
 public:
  DocumentDigest();
  ~DocumentDigest();
  DocumentDigest(const DocumentDigest&) = delete;
  DocumentDigest& operator=(const DocumentDigest&) = delete;

  void add(std::string_view bytes);
  // 32 hexadecimal digits.
  std::string text() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace flagstone::upstream
