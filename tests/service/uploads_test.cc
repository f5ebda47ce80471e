#include "service/http/uploads.h"

#include <doctest/doctest.h>

#include "service/http/base64.h"
#include "tests/service/state_folder.h"

using namespace palisade;
using namespace std::chrono_literals;

TEST_CASE("an upload is its owner's, for a day, and gone with the service") {
  const StateFolder folder;
  const WallTime now = wall_now();
  std::filesystem::path file;
  {
    HttpUploads uploads(folder.path());
    const HttpUpload film = uploads.add("wall", "no picture", now);
    file = film.file;
    CHECK(film.film);
    CHECK(film.id.starts_with("upload:"));
    CHECK(std::filesystem::file_size(file) == 10);
    CHECK((std::filesystem::status(file).permissions() & std::filesystem::perms(0077)) ==
          std::filesystem::perms::none);
    CHECK(uploads.find("wall", film.id, now));
    CHECK_FALSE(uploads.find("other", film.id, now));
    CHECK_FALSE(uploads.remove("other", film.id));
    CHECK_FALSE(uploads.find("wall", "upload:../../etc/passwd", now));
    CHECK(uploads.find("wall", film.id, now + 23h));
    CHECK_FALSE(uploads.find("wall", film.id, now + 24h));
    CHECK_FALSE(std::filesystem::exists(file));
    const HttpUpload picture = uploads.add("wall", "\xff\xd8\xff\xe0 and so on", now);
    CHECK_FALSE(picture.film);
    CHECK(uploads.remove("wall", picture.id));
    CHECK_FALSE(uploads.find("wall", picture.id, now));
    file = uploads.add("wall", "again", now).file;
  }
  CHECK_FALSE(std::filesystem::exists(file));
}

TEST_CASE("base64 is strict, both ways") {
  for (const std::string text : {"a", "ab", "abc", "abcd"}) {
    const auto bytes = bytes_of_base64(base64_of(text));
    REQUIRE(bytes);
    CHECK(std::string(bytes->begin(), bytes->end()) == text);
  }
  CHECK(base64_of("ab") == "YWI=");
  for (const char* const wrong : {"", "YWI", "YW I=", "Y*==", "YWI=\n"}) CHECK_FALSE(bytes_of_base64(wrong));
}
