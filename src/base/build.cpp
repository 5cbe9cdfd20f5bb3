#include "src/base/build.hpp"

namespace vlmark {

std::string compute_library() { return VLMARK_COMPUTE_LIBRARY; }

std::string build_instruction_set() { return VLMARK_ISA; }

}  // namespace vlmark
