// What compiling needs on the way and drops at the end, kept for the next record: a new parser and
// arena for each of 10,000 records cost more than the records.
//
// A Workbench belongs to one compile() at a time. The WorkbenchStore may be used from any thread;
// it holds one bench at most, so that compiles at the same time on other threads make their own.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>

#include "evaluation/arena.h"
#include "evaluation/dialect.h"
#include "evaluation/json_reader.h"

namespace flagstone::evaluation {

struct Workbench {
  JsonReader reader{kJsonDepthMax};
  Arena arena;
  std::string key_json;
};

class WorkbenchStore {
 public:
  // A bench is not kept after a record larger than this, nor with a larger arena, so that what
  // stays between two updates is small.
  static constexpr std::size_t kKeptRecordBytesMax = std::size_t{16} << 10;
  static constexpr std::size_t kKeptArenaBytesMax = std::size_t{256} << 10;

  WorkbenchStore() = default;
  ~WorkbenchStore() { delete kept_.load(); }
  WorkbenchStore(const WorkbenchStore&) = delete;
  WorkbenchStore& operator=(const WorkbenchStore&) = delete;

  // The kept bench or a new one, its arena empty.
  std::unique_ptr<Workbench> take() {
    std::unique_ptr<Workbench> bench(kept_.exchange(nullptr));
    if (bench == nullptr) return std::make_unique<Workbench>();
    bench->arena.reset();
    return bench;
  }
  // `record_bytes`: the record that was compiled with it.
  void give_back(std::unique_ptr<Workbench> bench, std::size_t record_bytes) {
    if (record_bytes > kKeptRecordBytesMax || bench->arena.bytes() > kKeptArenaBytesMax) return;
    delete kept_.exchange(bench.release());
  }

 private:
  std::atomic<Workbench*> kept_{nullptr};
};

}  // namespace flagstone::evaluation
