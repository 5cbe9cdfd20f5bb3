#include "src/base/build.hpp"

namespace vlmark {

std::string compute_library() { return VLMARK_COMPUTE_LIBRARY; }

}  // namespace vlmark
