# vlmark_add_test(name SOURCES a.cpp ... LINKS libs ... LABELS unit
#                 [MAIN plain|kokkos|mpi] [NP 1 2 4 8] [TIMEOUT seconds] [ARGS ...])
#
# One executable and one CTest entry (with NP: one entry per number of ranks, `name.np2`).
# MAIN picks tests/support/main_<MAIN>.cpp: `kokkos` initialises Kokkos around all tests, `mpi`
# initialises MPI and Kokkos, prints the rank of the first failed check and aborts the job.
set(VLMARK_MPIEXEC ${MPIEXEC_EXECUTABLE} --oversubscribe --bind-to none)
set(VLMARK_TEST_ENVIRONMENT OMP_NUM_THREADS=1 OMP_PROC_BIND=false OMPI_MCA_mpi_yield_when_idle=1
    OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_btl_vader_single_copy_mechanism=none)
execute_process(COMMAND id -u OUTPUT_VARIABLE uid OUTPUT_STRIP_TRAILING_WHITESPACE)
if(uid STREQUAL "0")  # Open MPI refuses to run as root without both
  list(APPEND VLMARK_TEST_ENVIRONMENT OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1)
endif()

# Factor of every time limit, for the Python tests as well.
set(VLMARK_SLOWDOWN 1)
if(VLMARK_SANITIZE)
  set(VLMARK_SLOWDOWN 4)
  # A report ends the program with an exit code that no test expects.
  set(reports "exitcode=99:halt_on_error=1")
  set(supp "${PROJECT_SOURCE_DIR}/tests/support")
  list(APPEND VLMARK_TEST_ENVIRONMENT
    "ASAN_OPTIONS=${reports}:detect_stack_use_after_return=1:strict_string_checks=1"
    # Open MPI's plugins leak and are unloaded before the end, where no suppression knows them any
    # more: programs with ranks are looked at before MPI is closed (tests/support/main_mpi.cpp).
    "LSAN_OPTIONS=exitcode=99:leak_check_at_exit=0:suppressions=${supp}/lsan.supp:print_suppressions=0"
    "UBSAN_OPTIONS=${reports}:print_stacktrace=1"
    # The longest history: a race whose first stack is forgotten is matched by no suppression.
    "TSAN_OPTIONS=${reports}:suppressions=${supp}/tsan.supp:second_deadlock_stack=1:history_size=7")
endif()
list(APPEND VLMARK_TEST_ENVIRONMENT VLMARK_SLOWDOWN=${VLMARK_SLOWDOWN})
math(EXPR VLMARK_TWO_MINUTES "${VLMARK_SLOWDOWN} * 120")

function(vlmark_add_test name)
  cmake_parse_arguments(arg "" "MAIN;TIMEOUT" "SOURCES;LINKS;LABELS;NP;ARGS" ${ARGN})
  if(NOT arg_SOURCES)
    set(arg_SOURCES ${name}.cpp)
  endif()
  if(NOT arg_MAIN)
    set(arg_MAIN plain)
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 60)
  endif()
  math(EXPR arg_TIMEOUT "${VLMARK_SLOWDOWN} * ${arg_TIMEOUT}")
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE vlmark_warnings vlmark_main_${arg_MAIN} ${arg_LINKS})
  if(arg_LABELS MATCHES "^(unit|mpi)$")
    add_dependencies(sanitized_tests ${name})
  elseif(arg_LABELS MATCHES "cuda")
    add_dependencies(cuda_tests ${name})
  endif()
  if(arg_NP)
    foreach(np ${arg_NP})
      add_test(NAME ${name}.np${np} COMMAND ${VLMARK_MPIEXEC} -n ${np} $<TARGET_FILE:${name}> ${arg_ARGS})
      set(tests ${tests} ${name}.np${np})
    endforeach()
  else()
    add_test(NAME ${name} COMMAND ${name} ${arg_ARGS})
    set(tests ${name})
  endif()
  set_tests_properties(${tests} PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT}
                       ENVIRONMENT "${VLMARK_TEST_ENVIRONMENT};VLMARK_SOURCE_DIR=${PROJECT_SOURCE_DIR}")
  if(VLMARK_SANITIZE AND NOT arg_MAIN STREQUAL "mpi")
    set_tests_properties(${tests} PROPERTIES
                         ENVIRONMENT_MODIFICATION LSAN_OPTIONS=string_append::leak_check_at_exit=1)
  endif()
endfunction()
