#pragma once

#include <filesystem>

namespace vlmark::fuzz {

/// Makes a results folder of one rank and two steps there, with a journal that holds every kind of
/// record, and the sealed record made of it.
void make_results(const std::filesystem::path& folder);

}  // namespace vlmark::fuzz
