# Units of NVIDIA's libraries: cuBLASLt and cuDNN in kernels/ (VLMARK_CUDA_UNITS) and NCCL in
# parallel/ (VLMARK_NCCL). They are host code against the toolkit's headers: the C++ compiler builds
# them in seconds, with or without a Kokkos for CUDA. Targets vlmark_cublaslt, vlmark_cudnn and
# vlmark_nccl carry what each unit needs and nothing else.
if(NOT DEFINED VLMARK_CUDA)
  set(VLMARK_CUDA OFF)
endif()
option(VLMARK_CUDA_UNITS "Compile the units of cuBLASLt and cuDNN" ${VLMARK_CUDA})
option(VLMARK_NCCL "Compile the NCCL communicator" OFF)

# A toolkit made of pip packages lies in .deps/cuda; a module's wins over it.
set(VLMARK_CUDA_HINTS "$ENV{CUDA_HOME}" "$ENV{CUDA_PATH}" "${VLMARK_DEPS}/cuda")

# vlmark_find_cuda(name header library origin): header and library of one part of the toolkit, into
# VLMARK_<name>_INCLUDE and VLMARK_<name>_LIBRARY, and the imported target vlmark_<name>.
function(vlmark_find_cuda name header library origin)
  string(TOUPPER "${name}" upper)
  set(roots "$ENV{${upper}_ROOT}" ${VLMARK_CUDA_HINTS} ${CUDAToolkit_ROOT} /usr/local/cuda)
  # A toolkit beside nvcc, wherever that is.
  find_program(VLMARK_NVCC nvcc HINTS ${VLMARK_CUDA_HINTS} /usr/local/cuda PATH_SUFFIXES bin)
  if(VLMARK_NVCC)
    get_filename_component(nvcc "${VLMARK_NVCC}" REALPATH)
    get_filename_component(nvcc "${nvcc}" DIRECTORY)
    list(APPEND roots "${nvcc}/..")
  endif()
  find_path(VLMARK_${upper}_INCLUDE ${header} HINTS ${roots} PATH_SUFFIXES include)
  find_library(VLMARK_${upper}_LIBRARY NAMES ${library} HINTS ${roots}
               PATH_SUFFIXES lib64 lib lib/x86_64-linux-gnu)
  if(NOT VLMARK_${upper}_INCLUDE OR NOT VLMARK_${upper}_LIBRARY)
    message(FATAL_ERROR
      "${name}: ${header} is '${VLMARK_${upper}_INCLUDE}', ${library} is "
      "'${VLMARK_${upper}_LIBRARY}' (both are needed by preset cuda). Load a module with it, "
      "install ${origin}, or set ${upper}_ROOT")
  endif()
  add_library(vlmark_${name} INTERFACE)
  target_include_directories(vlmark_${name} SYSTEM INTERFACE "${VLMARK_${upper}_INCLUDE}")
  target_link_libraries(vlmark_${name} INTERFACE "${VLMARK_${upper}_LIBRARY}")
endfunction()

# vlmark_require_version(name header version_macros minimum): reads "#define <macro> n" lines.
function(vlmark_require_version name header macros minimum)
  string(TOUPPER "${name}" upper)
  set(found)
  foreach(macro ${macros})
    file(STRINGS "${VLMARK_${upper}_INCLUDE}/${header}" line REGEX "^#define +${macro} +[0-9]+")
    string(REGEX MATCH "[0-9]+$" number "${line}")
    list(APPEND found "${number}")
  endforeach()
  list(JOIN found "." version)
  if(version VERSION_LESS minimum)
    message(FATAL_ERROR "${name}: version ${version} at ${VLMARK_${upper}_INCLUDE} (at least "
                        "${minimum} is needed). Install a newer one or set ${upper}_ROOT")
  endif()
  message(STATUS "${name} ${version}: ${VLMARK_${upper}_LIBRARY}")
endfunction()

if(VLMARK_CUDA_UNITS OR VLMARK_NCCL)
  vlmark_find_cuda(cudart cuda_runtime_api.h cudart "CUDA toolkit 13")
endif()
if(VLMARK_CUDA_UNITS)
  vlmark_find_cuda(cublaslt cublasLt.h cublasLt "CUDA toolkit 13 (nvidia-cublas)")
  vlmark_require_version(cublaslt cublas_api.h
    "CUBLAS_VER_MAJOR;CUBLAS_VER_MINOR;CUBLAS_VER_PATCH" 13.0)
  target_link_libraries(vlmark_cublaslt INTERFACE vlmark_cudart)

  vlmark_find_cuda(cudnn cudnn.h cudnn "cuDNN 9 (nvidia-cudnn-cu13)")
  vlmark_require_version(cudnn cudnn_version.h "CUDNN_MAJOR;CUDNN_MINOR;CUDNN_PATCHLEVEL" 9.19)
  find_path(VLMARK_CUDNN_FRONTEND_INCLUDE cudnn_frontend.h
            HINTS "$ENV{CUDNN_FRONTEND_ROOT}" "${VLMARK_DEPS}/cudnn-frontend" PATH_SUFFIXES include)
  if(NOT VLMARK_CUDNN_FRONTEND_INCLUDE)
    message(FATAL_ERROR "cudnn-frontend: no cudnn_frontend.h (attention by cuDNN is built on it). "
                        "Run scripts/bootstrap cuda or set CUDNN_FRONTEND_ROOT")
  endif()
  vlmark_find_cuda(nvrtc nvrtc.h nvrtc "CUDA toolkit 13 (nvidia-cuda-nvrtc)")
  target_include_directories(vlmark_cudnn SYSTEM INTERFACE "${VLMARK_CUDNN_FRONTEND_INCLUDE}")
  # Its JSON reader doubles the time to compile and serves formats not used here.
  target_compile_definitions(vlmark_cudnn INTERFACE CUDNN_FRONTEND_SKIP_JSON_LIB)
  target_link_libraries(vlmark_cudnn INTERFACE vlmark_cudart vlmark_nvrtc ${CMAKE_DL_LIBS})
endif()
if(VLMARK_NCCL)
  vlmark_find_cuda(nccl nccl.h nccl "NCCL 2.27 or newer (nvidia-nccl-cu13)")
  vlmark_require_version(nccl nccl.h "NCCL_MAJOR;NCCL_MINOR;NCCL_PATCH" 2.27)
  target_link_libraries(vlmark_nccl INTERFACE vlmark_cudart)
endif()
