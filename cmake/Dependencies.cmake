# All through find_package or pkg-config; scripts/bootstrap installs what is missing.
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)

# Kokkos: an installed one (module, Spack, CMAKE_PREFIX_PATH) wins over the one scripts/bootstrap
# builds, whose folder carries the instruction set in its name.
include(cmake/InstructionSet.cmake)
set(VLMARK_DEPS "$ENV{VLMARK_DEPS}")
if(NOT VLMARK_DEPS)
  set(VLMARK_DEPS "${PROJECT_SOURCE_DIR}/.deps")
endif()
list(APPEND CMAKE_PREFIX_PATH "${VLMARK_DEPS}/kokkos-${VLMARK_KOKKOS}-${VLMARK_ISA}")
find_package(Kokkos 4.5 REQUIRED CONFIG)

find_package(MPI REQUIRED COMPONENTS CXX)
if(VLMARK_ONEDNN)
  find_package(dnnl REQUIRED CONFIG)
endif()
find_package(fmt REQUIRED CONFIG)
find_package(spdlog REQUIRED CONFIG)
find_package(nlohmann_json REQUIRED CONFIG)
find_package(CLI11 REQUIRED CONFIG)
find_package(Boost 1.74 REQUIRED)  # headers of Boost.Math
find_package(PNG REQUIRED)
find_package(JPEG REQUIRED)
find_package(ZLIB REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
pkg_check_modules(webp REQUIRED IMPORTED_TARGET libwebp libwebpdemux)
pkg_check_modules(pcre2 REQUIRED IMPORTED_TARGET libpcre2-8)
pkg_check_modules(utf8proc REQUIRED IMPORTED_TARGET libutf8proc)
pkg_check_modules(tomlplusplus REQUIRED IMPORTED_TARGET tomlplusplus)
pkg_check_modules(hwloc REQUIRED IMPORTED_TARGET hwloc)

set(HDF5_PREFER_PARALLEL ON)
find_package(HDF5 REQUIRED COMPONENTS C)
if(NOT HDF5_IS_PARALLEL)
  message(FATAL_ERROR "HDF5 at ${HDF5_INCLUDE_DIRS} is not a parallel build (the record is merged "
                      "by all ranks). Install libhdf5-openmpi-dev or set HDF5_ROOT.")
endif()
