# Target vlmark_kokkos: Kokkos, and with its CUDA back end what nvcc needs besides. Only targets that
# link it are compiled by nvcc; all others stay with the C++ compiler.
add_library(vlmark_kokkos INTERFACE)
target_link_libraries(vlmark_kokkos INTERFACE Kokkos::kokkos)
set(VLMARK_CUDA OFF)
if("CUDA" IN_LIST Kokkos_DEVICES)
  set(VLMARK_CUDA ON)
  target_compile_options(vlmark_kokkos INTERFACE
    "SHELL:-include ${PROJECT_SOURCE_DIR}/cmake/kokkos_cuda13.hpp"
    # Functions shared by host and device (bf16, Philox) are constexpr.
    --expt-relaxed-constexpr
    # `#pragma GCC unroll` is for g++.
    "SHELL:-Xcudafe --diag_suppress=1675"
    $<$<BOOL:${VLMARK_WERROR}>:-Werror=all-warnings>)
  # Kokkos' own launcher does not see the compiler behind ccache.
  set_property(GLOBAL PROPERTY RULE_LAUNCH_COMPILE "")
  set(CMAKE_CXX_COMPILER_LAUNCHER
      "${PROJECT_SOURCE_DIR}/cmake/launch_compiler" "${VLMARK_CCACHE}" "${Kokkos_NVCC_WRAPPER}")
endif()
