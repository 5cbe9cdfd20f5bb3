# Flags every target of the project is built with: warnings stay private to it.
add_library(vlmark_flags INTERFACE)
target_compile_features(vlmark_flags INTERFACE cxx_std_20)
target_include_directories(vlmark_flags INTERFACE "${PROJECT_SOURCE_DIR}")
target_compile_options(vlmark_flags INTERFACE -march=native -ffp-contract=fast)
if(VLMARK_SANITIZE)
  # Functions and lines in a report need both; findings of `undefined` end the program.
  set(sanitize -fsanitize=${VLMARK_SANITIZE} -fno-sanitize-recover=all)
  target_compile_options(vlmark_flags INTERFACE ${sanitize} -g1 -fno-omit-frame-pointer)
  # An index beyond the end of a vector that has room left is no error to AddressSanitizer.
  target_compile_definitions(vlmark_flags INTERFACE _GLIBCXX_ASSERTIONS)
  if(VLMARK_SANITIZE STREQUAL "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # g++ says of each fence in Kokkos that it is not followed; Kokkos' locks do not need that.
    target_compile_options(vlmark_flags INTERFACE -Wno-tsan)
  endif()
  target_link_options(vlmark_flags INTERFACE ${sanitize})
endif()
target_compile_definitions(vlmark_flags INTERFACE $<$<BOOL:${VLMARK_CONTRACTS}>:VLMARK_CONTRACTS>)

add_library(vlmark_warnings INTERFACE)
target_compile_options(vlmark_warnings INTERFACE
  -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wno-unknown-pragmas -Wno-missing-field-initializers
  # g++ 12 warns of overlap in plain std::string assignments (GCC bug 105651).
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>
  $<$<BOOL:${VLMARK_WERROR}>:-Werror>)

# vlmark_add_library(box SOURCES ... [LINKS ...] [PRIVATE_LINKS ...])
# One library target per box; LINKS are the arrows of docs/architecture.md, so that a wrong
# include fails to link. PRIVATE_LINKS are libraries that only the box's .cpp files see.
function(vlmark_add_library box)
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
  add_library(vlmark_${box} STATIC ${arg_SOURCES})
  target_link_libraries(vlmark_${box} PUBLIC vlmark_flags ${arg_LINKS}
                                      PRIVATE vlmark_warnings ${arg_PRIVATE_LINKS})
endfunction()
