# Third-party libraries, all of them Debian 12 packages, each as one interface target.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

function(palisade_pkg_config name)
  pkg_check_modules(${name}_pc REQUIRED IMPORTED_TARGET ${ARGN})
  add_library(${name} INTERFACE)
  target_link_libraries(${name} INTERFACE PkgConfig::${name}_pc)
endfunction()

palisade_pkg_config(ffmpeg libavfilter libavformat libavcodec libavutil libswscale)
palisade_pkg_config(gstreamer gstreamer-1.0 gstreamer-app-1.0 gstreamer-video-1.0 gstreamer-rtsp-1.0 gstreamer-sdp-1.0 gio-2.0)
palisade_pkg_config(image_files libjpeg libturbojpeg libpng libwebp zlib)
palisade_pkg_config(zlib zlib)
palisade_pkg_config(curl libcurl)
palisade_pkg_config(seccomp libseccomp)
palisade_pkg_config(gst_rtsp_server gstreamer-rtsp-server-1.0)
palisade_pkg_config(cairo cairo)
palisade_pkg_config(sentencepiece sentencepiece)
palisade_pkg_config(highway libhwy)
palisade_pkg_config(yaml yaml-cpp)
palisade_pkg_config(zeromq libzmq)
palisade_pkg_config(sqlite sqlite3)
palisade_pkg_config(libcrypto libcrypto)
palisade_pkg_config(openssl openssl)
palisade_pkg_config(sodium libsodium)
palisade_pkg_config(prometheus prometheus-cpp-core)
palisade_pkg_config(regular_expressions re2)

# Debian's dnnl package asks for OpenCL through find_package, which the CPU engine does not need. A oneDNN of
# another place (2.6 or 3.x) is taken with -DONEDNN_ROOT=DIR.
set(ONEDNN_ROOT "" CACHE PATH "Folder of another oneDNN (include/, lib/); empty: the system's")
find_path(ONEDNN_INCLUDE oneapi/dnnl/dnnl.hpp HINTS ${ONEDNN_ROOT}/include REQUIRED)
find_library(ONEDNN_LIBRARY dnnl HINTS ${ONEDNN_ROOT}/lib REQUIRED)
add_library(onednn INTERFACE)
target_include_directories(onednn SYSTEM INTERFACE ${ONEDNN_INCLUDE})
target_link_libraries(onednn INTERFACE ${ONEDNN_LIBRARY})
if(PALISADE_FUZZ)  # one thread: with OpenMP clang 16 refuses lambdas that it takes without, and readers have no use for it
  target_link_libraries(onednn INTERFACE gomp)
else()
  find_package(OpenMP REQUIRED COMPONENTS CXX)
  target_link_libraries(onednn INTERFACE OpenMP::OpenMP_CXX)
endif()

find_package(nlohmann_json 3.11 REQUIRED)
add_library(json INTERFACE)
target_link_libraries(json INTERFACE nlohmann_json::nlohmann_json)

find_package(spdlog REQUIRED)
add_library(spdlog_library INTERFACE)
target_link_libraries(spdlog_library INTERFACE spdlog::spdlog)

find_package(fmt 9 REQUIRED)
add_library(text_formats INTERFACE)
target_link_libraries(text_formats INTERFACE fmt::fmt)

find_package(date REQUIRED)
add_library(time_zones INTERFACE)
target_link_libraries(time_zones INTERFACE date::date date::date-tz)

find_package(CLI11 REQUIRED)
add_library(cli11 INTERFACE)
target_link_libraries(cli11 INTERFACE CLI11::CLI11)

find_package(Eigen3 3.4 REQUIRED NO_MODULE)
add_library(eigen INTERFACE)
target_link_libraries(eigen INTERFACE Eigen3::Eigen)

# Boost.Asio, headers alone. 1.74, Debian 12's default, has coroutines that GCC 12 does not compile.
find_package(Boost 1.81 REQUIRED)
add_library(asio INTERFACE)
target_link_libraries(asio INTERFACE Boost::headers)

find_package(SQLiteCpp REQUIRED)
add_library(sqlitecpp INTERFACE)
target_link_libraries(sqlitecpp INTERFACE SQLiteCpp sqlite)
