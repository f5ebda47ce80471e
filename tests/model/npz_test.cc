#include "model/masks/npz.h"

#include <doctest/doctest.h>

#include <unistd.h>

#include <fstream>
#include <random>

#include "model/error.h"
#include "tests/model/golden.h"
#include "tests/model/npz_file.h"

using namespace palisade;

namespace {

const std::filesystem::path kMaskWeights = kReference / "segmentation/vae-oid.npz";

// Where a test's archive lies.
class WrittenFile {
 public:
  ~WrittenFile() { std::filesystem::remove(path_); }
  const std::filesystem::path& with(const std::string& bytes) {
    std::ofstream(path_, std::ios::binary) << bytes;
    return path_;
  }

 private:
  std::filesystem::path path_ = std::filesystem::temp_directory_path() / format("palisade-npz-{}", getpid());
};

// Reads all of it; the message of what it refuses, or nothing.
std::string refusal_of(const std::string& bytes) {
  WrittenFile file;
  try {
    const NpzFile npz(file.with(bytes));
    for (const std::string& name : npz.names()) (void)npz.array(name);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

const NpyArray kSmall{.shape = {2, 3}, .values = {1, 2, 3, 4, 5, 6}};

// An archive of one array whose .npy is this.
std::string with_npy(const std::string& npy, std::uint16_t method = 0) {
  return zip_of({{.name = "a.npy",
                  .stored = npy,
                  .crc = crc32_of(npy),
                  .expanded = std::uint32_t(npy.size()),
                  .method = method}});
}

std::string with_header(const std::string& header) {
  return refusal_of(with_npy(npy_of(kSmall, header)));
}

}  // namespace

TEST_CASE("an archive of NumPy's is read, array by array") {
  const NpzFile npz(kMaskWeights);
  CHECK(npz.names().size() == 47);
  const NpyArray embedding = npz.array("_vq_vae._embedding");
  CHECK(embedding.shape == std::vector<std::int64_t>{128, 24});
  CHECK(embedding.shape_text() == "[128, 24]");
  CHECK(embedding.values.size() == 128 * 24);
  CHECK_FALSE(npz.contains("decoder.1"));
  CHECK_THROWS_WITH_AS(npz.array("decoder.1"), doctest::Contains("has no array \"decoder.1\""), ModelError);
}

TEST_CASE("a deflated array is the same") {
  WrittenFile file;
  const std::string npy = npy_of(kSmall);
  // A deflate stream of one stored block: its length, the complement, and the bytes.
  const auto length = std::uint16_t(npy.size());
  const std::string stored = "\x01" + little_endian(length) + little_endian(std::uint16_t(~length)) + npy;
  const std::string archive = zip_of({{.name = "a.npy",
                                       .stored = stored,
                                       .crc = crc32_of(npy),
                                       .expanded = std::uint32_t(npy.size()),
                                       .method = 8}});
  CHECK(NpzFile(file.with(archive)).array("a").values == kSmall.values);
  // One byte less or more than it says.
  for (const int off : {-1, 1}) {
    const std::string lying = zip_of({{.name = "a.npy",
                                       .stored = stored,
                                       .crc = crc32_of(npy),
                                       .expanded = std::uint32_t(int(npy.size()) + off),
                                       .method = 8}});
    CHECK(refusal_of(lying).find("\"a\" is damaged") != std::string::npos);
  }
}

TEST_CASE("what Python deflates is read") {
  const NpzFile npz(PALISADE_SOURCE_DIR "/tests/fuzz/corpus/npz/decoder");
  const NpyArray embedding = npz.array("_vq_vae._embedding");
  REQUIRE(embedding.values.size() == 128);
  for (int i = 0; i < 128; ++i) CHECK(embedding.values[i] == float(i % 7 - 3));
}

TEST_CASE("an archive that is cut anywhere is refused") {
  const std::string whole = npz_of({{"a", kSmall}, {"b", kSmall}});
  CHECK(refusal_of(whole) == "");
  for (std::size_t size = 0; size < whole.size(); ++size) CHECK(refusal_of(whole.substr(0, size)) != "");
}

TEST_CASE("a byte that is changed never does harm, and never passes where it matters") {
  const std::string whole = npz_of({{"a", kSmall}, {"b", kSmall}});
  std::mt19937_64 random(34);
  for (int i = 0; i < 4000; ++i) {
    std::string changed = whole;
    for (int k = 0; k <= i % 3; ++k) changed[random() % changed.size()] = char(random());
    (void)refusal_of(changed);
  }
  std::string damaged = whole;
  damaged[damaged.find("NUMPY") + 130] ^= 1;  // a value of the first array
  CHECK(refusal_of(damaged).find("\"a\" is damaged") != std::string::npos);
}

TEST_CASE("headers that lie about sizes take no memory for it") {
  ZipFile lying{.name = "a.npy", .stored = npy_of(kSmall), .crc = 1, .expanded = 0xfffffff0};
  CHECK(refusal_of(zip_of({lying})).find("as large as it says") != std::string::npos);
  lying.method = 8;
  CHECK(refusal_of(zip_of({lying})).find("as large as it says") != std::string::npos);
  lying.expanded = 60u << 20;  // more than so few bytes can make
  CHECK(refusal_of(zip_of({lying})).find("as large as it says") != std::string::npos);
  std::string beyond = zip_of({{.name = "a.npy", .stored = npy_of(kSmall)}});
  const std::size_t stored = beyond.find("PK\x01\x02") + 20;
  beyond.replace(stored, 4, little_endian(std::uint32_t(0x7fffffff)));
  CHECK(refusal_of(beyond).find("goes beyond the end") != std::string::npos);
  std::string elsewhere = npz_of({{"a", kSmall}});
  elsewhere.replace(elsewhere.find("PK\x01\x02") + 42, 4, little_endian(std::uint32_t(7)));
  CHECK(refusal_of(elsewhere).find("is not where its directory says") != std::string::npos);
}

TEST_CASE("what is stored otherwise than NumPy does is refused") {
  const std::string npy = npy_of(kSmall);
  CHECK(refusal_of(with_npy(npy, 12)).find("stored in a way") != std::string::npos);
  ZipFile encrypted{.name = "a.npy",
                    .stored = npy,
                    .crc = crc32_of(npy),
                    .expanded = std::uint32_t(npy.size()),
                    .flags = 1};
  CHECK(refusal_of(zip_of({encrypted})).find("stored in a way") != std::string::npos);
  CHECK(refusal_of(npz_of({{"a", kSmall}, {"a", kSmall}})).find("\"a\" is there twice") != std::string::npos);
  CHECK(refusal_of("no archive").find("is no .npz file") != std::string::npos);
}

TEST_CASE("a header of NumPy's that does not fit its array is refused") {
  CHECK(with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }") == "");
  CHECK(with_header("{'descr':'<f4','fortran_order':False,'shape':(6,)}") == "");
  for (const char* const header : {"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }",
                                   "{'descr': '>f4', 'fortran_order': False, 'shape': (2, 3), }",
                                   "{'descr': '|O', 'fortran_order': False, 'shape': (2, 3), }",
                                   "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }",
                                   "{'descr': '<f4', 'shape': (2, 3), }"}) {
    CAPTURE(header);
    CHECK(with_header(header).find("32-bit floats in row-major order") != std::string::npos);
  }
  for (const char* const shape : {"(2, 4)", "()", "(3,)", "(2, 3, 0)", "(67108864, 67108864, 67108864)"}) {
    CAPTURE(shape);
    CHECK(with_header(format("{{'descr': '<f4', 'fortran_order': False, 'shape': {}, }}", shape))
              .find("of shape") != std::string::npos);
  }
  for (const char* const shape : {"(2, -3)", "(2; 3)", "2, 3", "(2, 3", "(99999999999999999999,)", "(,)",
                                  "(1, 1, 1, 1, 1, 1, 1, 1, 6)"}) {
    CAPTURE(shape);
    CHECK(with_header(format("{{'descr': '<f4', 'fortran_order': False, 'shape': {}", shape))
              .find("no header of NumPy's") != std::string::npos);
  }
  CHECK(refusal_of(with_npy("\x93NUMPY")).find("no header of NumPy's") != std::string::npos);
  std::string lying = npy_of(kSmall);
  lying[8] = lying[9] = char(0xff);
  CHECK(refusal_of(with_npy(lying)).find("no header of NumPy's") != std::string::npos);
}
