#pragma once

#include <string>

namespace vlmark {

/// Widest instruction set of this CPU that a kernel may choose at run time:
/// "sse", "avx2", "avx512", "avx512_bf16" or "amx". Printed beside every figure.
std::string instruction_set();

/// True where a bf16 matrix product has instructions of its own.
bool has_bf16_instructions();

}  // namespace vlmark
