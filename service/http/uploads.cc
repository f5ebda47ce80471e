#include "service/http/uploads.h"

#include <span>

#include "base/whole_file.h"
#include "ingest/pictures/picture.h"

namespace palisade {

HttpUploads::HttpUploads(const std::filesystem::path& state_folder) : folder_(state_folder / "uploads") {
  std::error_code error;
  std::filesystem::remove_all(folder_, error);  // of an earlier run
}

HttpUploads::~HttpUploads() {
  std::error_code error;
  std::filesystem::remove_all(folder_, error);
}

HttpUpload HttpUploads::add(const std::string& owner, std::string_view bytes, WallTime now) {
  const std::lock_guard lock(mutex_);
  remove_old(now);
  while (!uploads_.empty() && bytes_ + bytes.size() > kMaxTogether) erase(uploads_.begin());
  std::filesystem::create_directories(folder_);
  std::filesystem::permissions(folder_, std::filesystem::perms::owner_all);
  const std::string name = ids_.next(now);
  HttpUpload upload{.id = "upload:" + name,
                    .owner = owner,
                    .film = !looks_like_picture(std::as_bytes(std::span(bytes))),
                    .file = folder_ / name,
                    .bytes = bytes.size(),
                    .expires = now + kStay};
  write_private_file(upload.file, bytes);
  bytes_ += upload.bytes;
  uploads_[upload.id] = upload;
  return upload;
}

std::optional<HttpUpload> HttpUploads::find(const std::string& owner, const std::string& id, WallTime now) {
  const std::lock_guard lock(mutex_);
  remove_old(now);
  const auto upload = uploads_.find(id);
  if (upload == uploads_.end() || upload->second.owner != owner) return std::nullopt;
  return upload->second;
}

bool HttpUploads::remove(const std::string& owner, const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto upload = uploads_.find(id);
  if (upload == uploads_.end() || upload->second.owner != owner) return false;
  erase(upload);
  return true;
}

void HttpUploads::remove_old(WallTime now) {
  while (!uploads_.empty() && uploads_.begin()->second.expires <= now) erase(uploads_.begin());
}

void HttpUploads::erase(std::map<std::string, HttpUpload>::iterator upload) {
  std::error_code error;
  std::filesystem::remove(upload->second.file, error);
  bytes_ -= upload->second.bytes;
  uploads_.erase(upload);
}

}  // namespace palisade
