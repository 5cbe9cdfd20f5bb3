#include <fcntl.h>
#include <fmt/format.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "src/doctor/files.hpp"
#include "src/doctor/process_checks.hpp"

namespace vlmark::doctor {
namespace {

namespace fs = std::filesystem;

/// Of the magic numbers in statfs(2), those that results may lie on.
std::string name_of_type(long type) {
  switch (static_cast<unsigned long>(type)) {
    case 0x0bd00bd0:
      return "Lustre";
    case 0x6969:
      return "NFS";
    case 0x47504653:
      return "GPFS";
    case 0x19830326:
      return "BeeGFS";
    case 0x01021994:
      return "tmpfs";
    case 0xef53:
      return "ext";
    case 0x58465342:
      return "XFS";
    case 0x9123683e:
      return "Btrfs";
    case 0x794c7630:
      return "overlay";
    case 0x00c36400:
      return "Ceph";
    default:
      return fmt::format("type {:#x}", static_cast<unsigned long>(type));
  }
}

/// Why nothing can be written there; "" where it can. An unnamed file leaves nothing behind.
std::string why_not_writable(const fs::path& folder) {
  std::string name = (folder / ".vlmark-XXXXXX").string();
  const int file = mkstemp(name.data());
  if (file < 0) return std::strerror(errno);
  unlink(name.c_str());
  const char byte = 1;
  const bool written = write(file, &byte, 1) == 1;
  const std::string reason = written ? "" : std::strerror(errno);
  close(file);
  return reason;
}

}  // namespace

Check folder_check(const fs::path& folder) {
  std::error_code failure;
  fs::path there = fs::absolute(folder, failure);
  while (!fs::exists(there, failure) && there.has_relative_path()) there = there.parent_path();
  const std::string what =
      there == fs::absolute(folder, failure) ? folder.string() : folder.string() + " (to be made)";
  if (!fs::is_directory(there, failure))
    return {"results folder", Status::fail, what + ": a file lies in its place",
            "Choose another folder (--folder, output.folder)"};
  const std::string reason = why_not_writable(there);
  if (!reason.empty())
    return {"results folder", Status::fail, what + ": cannot be written: " + reason,
            "Choose another folder (--folder, output.folder), or free this one"};
  struct statfs info {};
  if (statfs(there.c_str(), &info) != 0)
    return {"results folder", Status::ok, what + ": can be written", ""};
  const double free_bytes = static_cast<double>(info.f_bavail) * static_cast<double>(info.f_bsize);
  Check check{"results folder", Status::ok,
              fmt::format("{}: can be written, {} free on {}", what, gigabytes(free_bytes),
                          name_of_type(info.f_type)),
              ""};
  if (free_bytes < 1e9) {
    check.status = Status::warn;
    check.advice = "An exported model may not fit. Free space, or set output.export = false";
  }
  return check;
}

}  // namespace vlmark::doctor
