# A second build of the same sources takes seconds where ccache is installed.
find_program(VLMARK_CCACHE ccache)
if(VLMARK_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${VLMARK_CCACHE}")
endif()
