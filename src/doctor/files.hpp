#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace vlmark::doctor {

/// First line of a file; "" where it cannot be read.
std::string first_line(const std::filesystem::path& file);

/// "1.5 GB": bytes by the thousand, as memory and disks are sold.
std::string gigabytes(double bytes);

}  // namespace vlmark::doctor
