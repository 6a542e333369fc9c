#include "cache/durable_write.h"

#include <cerrno>

namespace flagstone::cache {

FileResult<void> replace_file(FileSystem& files, const std::string& folder, std::string_view name,
                              std::string_view bytes) {
  const std::string path = folder + "/" + std::string(name);
  const std::string temporary = path + std::string(kTemporarySuffix);
  const auto write = [&]() -> FileResult<void> {
    FileResult<int> descriptor = files.create(temporary);
    if (!descriptor) return std::unexpected(descriptor.error());
    const OpenFile file(files, *descriptor);
    if (auto done = files.write_at(*descriptor, bytes, 0); !done) return done;
    return files.sync(*descriptor);
  };
  FileResult<void> done = write();
  if (done) done = files.rename(temporary, path);
  if (!done) {
    // Best effort: a leftover is harmless and swept later.
    (void)files.unlink(temporary);
    return done;
  }
  return files.sync_folder(folder);
}

FileResult<void> make_folders(FileSystem& files, const std::string& path) {
  FileResult<void> made = files.make_folder(path);
  const std::size_t slash = path.rfind('/');
  const std::string above = slash == 0 ? "/" : path.substr(0, slash);
  if (!made && made.error().code == ENOENT && slash != 0 && slash != std::string::npos) {
    if (auto done = make_folders(files, above); !done) return done;
    made = files.make_folder(path);
  }
  if (!made && made.error().code == EEXIST) return {};
  if (!made) return made;
  return files.sync_folder(above);
}

FileResult<std::string> read_file(FileSystem& files, const std::string& path,
                                  std::uint64_t max_bytes) {
  FileResult<int> descriptor = files.open_for_reading(path);
  if (!descriptor) return std::unexpected(descriptor.error());
  const OpenFile file(files, *descriptor);
  const FileResult<std::uint64_t> size = files.size(*descriptor);
  if (!size) return std::unexpected(size.error());
  if (*size > max_bytes) {
    return std::unexpected(FileError{.code = EFBIG, .where = "read " + path});
  }
  std::string bytes(static_cast<std::size_t>(*size), '\0');
  const FileResult<std::size_t> got = files.read_at(*descriptor, bytes, 0);
  if (!got) return std::unexpected(got.error());
  bytes.resize(*got);
  return bytes;
}

FileResult<FileAppender> FileAppender::create(FileSystem& files, const std::string& path) {
  const FileResult<int> descriptor = files.create(path);
  if (!descriptor) return std::unexpected(descriptor.error());
  return FileAppender(files, *descriptor);
}

FileResult<void> FileAppender::flush() {
  if (auto done = files_->write_at(file_.descriptor(), buffer_, written_bytes_); !done) {
    return done;
  }
  written_bytes_ += buffer_.size();
  buffer_.clear();
  return {};
}

FileResult<void> FileAppender::flush_if_full() {
  return buffer_.size() < kBufferBytes ? FileResult<void>() : flush();
}

FileResult<std::uint64_t> FileAppender::finish() {
  if (auto done = flush(); !done) return std::unexpected(done.error());
  if (auto done = files_->sync(file_.descriptor()); !done) return std::unexpected(done.error());
  return written_bytes_;
}

}  // namespace flagstone::cache
