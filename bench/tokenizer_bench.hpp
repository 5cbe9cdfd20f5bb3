#pragma once

namespace vlmark::bench {

/// Registers loading, encoding and decoding; `smoke` asks for sizes that take milliseconds.
void register_tokenizer(bool smoke);

}  // namespace vlmark::bench
