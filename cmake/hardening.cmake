# What makes a fault in memory end the program instead of serving whoever caused it. Of every build with
# optimisation that has no sanitizer; a build type of one's own (None, Debug) takes the flags that it is given.
include(CheckCXXCompilerFlag)
include(CheckPIESupported)
check_pie_supported()

set(PALISADE_HARDENED FALSE)
if(CMAKE_BUILD_TYPE MATCHES "^(Release|RelWithDebInfo|MinSizeRel)$" AND NOT PALISADE_SANITIZE)
  set(PALISADE_HARDENED TRUE)
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -D_GLIBCXX_ASSERTIONS -fstack-protector-strong)
  foreach(flag -fstack-clash-protection -fcf-protection)  # not on every machine
    string(MAKE_C_IDENTIFIER "has${flag}" known)
    check_cxx_compiler_flag(${flag} ${known})
    if(${known})
      add_compile_options(${flag})
    endif()
  endforeach()
  add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack)
endif()
