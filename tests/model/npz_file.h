#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/format.h"
#include "model/masks/npz.h"

namespace palisade {

struct NpzArray {
  std::string name;
  NpyArray array;
};

// As CRC-32 of zlib, a bit at a time.
inline std::uint32_t crc32_of(const std::string& bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc;
}

template <class Number>
std::string little_endian(Number number) {
  return {reinterpret_cast<const char*>(&number), sizeof(number)};
}

// The bytes of a .npy as NumPy writes them; `header` replaces its own where given.
inline std::string npy_of(const NpyArray& array, std::string header = "") {
  if (header.empty()) {
    std::string shape;
    for (const std::int64_t side : array.shape) shape += format("{}, ", side);
    header = format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}), }}", shape);
    header.resize((header.size() + 10 + 64) / 64 * 64 - 10, ' ');
    header.back() = '\n';
  }
  return std::string("\x93NUMPY\x01\0", 8) + little_endian(std::uint16_t(header.size())) + header +
         std::string(reinterpret_cast<const char*>(array.values.data()), array.values.size() * sizeof(float));
}

// A file of a zip archive.
struct ZipFile {
  std::string name;
  std::string stored;
  std::uint32_t crc = 0;
  std::uint32_t expanded = 0;
  std::uint16_t method = 0;
  std::uint16_t flags = 0;
};

// A zip archive with a local header, a directory and an end record, each as the files say.
inline std::string zip_of(const std::vector<ZipFile>& files) {
  using std::uint16_t, std::uint32_t;
  std::string archive, directory;
  for (const ZipFile& file : files) {
    const std::string same =
        little_endian(uint16_t(20)) + little_endian(file.flags) + little_endian(file.method) +
        little_endian(uint32_t(0)) + little_endian(file.crc) + little_endian(uint32_t(file.stored.size())) +
        little_endian(file.expanded) + little_endian(uint16_t(file.name.size())) + little_endian(uint16_t(0));
    directory += "PK\x01\x02" + little_endian(uint16_t(20)) + same + std::string(10, '\0') +
                 little_endian(uint32_t(archive.size())) + file.name;
    archive += "PK\x03\x04" + same + file.name + file.stored;
  }
  const auto begin = uint32_t(archive.size());
  return archive + directory + "PK\x05\x06" + little_endian(uint32_t(0)) +
         little_endian(uint16_t(files.size())) + little_endian(uint16_t(files.size())) +
         little_endian(uint32_t(directory.size())) + little_endian(begin) + little_endian(uint16_t(0));
}

// As numpy.savez writes arrays.
inline std::string npz_of(const std::vector<NpzArray>& arrays) {
  std::vector<ZipFile> files;
  for (const auto& [name, array] : arrays) {
    const std::string npy = npy_of(array);
    files.push_back(
        {.name = name + ".npy", .stored = npy, .crc = crc32_of(npy), .expanded = std::uint32_t(npy.size())});
  }
  return zip_of(files);
}

}  // namespace palisade
