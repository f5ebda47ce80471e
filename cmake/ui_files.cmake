# Writes OUT, a source file that holds every file of FOLDER: cmake -DFOLDER=DIR -DOUT=FILE -P cmake/ui_files.cmake
file(GLOB_RECURSE files RELATIVE ${FOLDER} ${FOLDER}/*)
list(SORT files)
set(arrays "")
set(table "")
set(number 0)
foreach(file ${files})
  file(READ "${FOLDER}/${file}" bytes HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
  string(APPEND arrays "// ${file}\nconstexpr unsigned char kFile${number}[] = {${bytes}};\n")
  string(APPEND table "    {\"${file}\", text_of(kFile${number})},\n")
  math(EXPR number "${number} + 1")
endforeach()
file(WRITE "${OUT}" "// Made of ${FOLDER} by cmake/ui_files.cmake.
#include \"service/http/ui_files.h\"

namespace palisade {
namespace {

${arrays}
template <std::size_t Size>
std::string_view text_of(const unsigned char (&bytes)[Size]) {
  return {reinterpret_cast<const char*>(bytes), Size};
}

}  // namespace

std::span<const UiFile> ui_files() {
  static const UiFile kAll[] = {
${table}  };
  return kAll;
}

}  // namespace palisade
")
